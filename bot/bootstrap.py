"""The one place that chooses adapters. Everything at the edges gets its services from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.adapters.channels import AppriseNotifier, development_mail_url, is_address
from bot.adapters.clinic_key import clinic_key
from bot.adapters.content import compile_library, load_library
from bot.adapters.crypto import Vault
from bot.adapters.fhir import fhir_bundle
from bot.adapters.jurisdictions import load_jurisdiction
from bot.adapters.language.on_demand import AssessorOnDemand
from bot.adapters.links import Links
from bot.adapters.pins import Argon2Pins
from bot.adapters.policy_file import load_phrases, load_policy
from bot.adapters.rasa_client import RasaEngine
from bot.adapters.schedule_files import read_schedule
from bot.adapters.sql.engine import make_engine
from bot.adapters.sql.erasure import forget_freed_pages
from bot.adapters.sql.store import Store
from bot.adapters.tracker_window import forget_conversation
from bot.adapters.wordings import digest_wordings
from bot.core.accounts import SessionLimits
from bot.core.digest.build import Wordings
from bot.core.flow.content import Library
from bot.core.flow.render import fill
from bot.core.jurisdiction import Jurisdiction
from bot.core.people import Patient
from bot.core.safety.verdict import Verdict
from bot.services.access import AccessService
from bot.services.alert_page import AlertPages
from bot.services.caseload import CaseloadService
from bot.services.conversation import ConversationService
from bot.services.delivery import DeliveryService
from bot.services.desk import DeskService
from bot.services.device_pin import DevicePinService
from bot.services.digest_notices import DigestNoticeService
from bot.services.digests import DigestService, PatientView
from bot.services.escalation import EscalationService
from bot.services.journal import JournalService
from bot.services.keys import KeyService
from bot.services.paging import Paging
from bot.services.ports import Assessor, Clock, DialogueEngine, Notifier, Transaction
from bot.services.privacy import PrivacyService
from bot.services.programme import ProgrammeService
from bot.services.reminders import ReminderService
from bot.services.reports import ReportService
from bot.services.requests import RequestService
from bot.services.rota import RotaService
from bot.services.schedule import Planned, Refused, ScheduleService
from bot.services.screening import ScreeningService
from bot.services.sign_in import SignInService
from bot.services.sittings import SittingService
from bot.services.telling import ClinicFacts, Telling, texts_for_telling
from bot.services.watch import WatchService
from bot.settings import ROOT, Settings

AWAY_TEXT = (
    "I've kept what you wrote, but I can't answer just now. It was checked for safety, and I'll go on when I'm back. "
    "In danger: 911. Any hour: call or text 988. The clinic: {clinic_phone}."
)


@dataclass(frozen=True, kw_only=True)
class Application:
    """All services of the clinic's side, ready to use."""

    settings: Settings
    clock: Clock
    library: Library
    database: Engine
    uow: Store
    assessor: Assessor
    access: AccessService
    screening: ScreeningService
    conversation: ConversationService
    sittings: SittingService
    escalation: EscalationService
    delivery: DeliveryService
    digests: DigestService
    caseload: CaseloadService
    desk: DeskService
    schedule: ScheduleService
    digest_notices: DigestNoticeService
    wordings: Wordings
    read_schedule: Callable[[str, bytes, str], tuple[list[Planned], list[Refused]]]  # file name, content, time zone
    fhir_bundle: Callable[[PatientView], dict[str, Any]]
    journal: JournalService
    programme: ProgrammeService
    sign_in: SignInService
    privacy: PrivacyService
    keys: KeyService
    jurisdiction: Jurisdiction
    notifier: Notifier
    rota: RotaService
    watch: WatchService
    requests: RequestService
    reports: ReportService
    reminders: ReminderService
    pins: DevicePinService
    alert_pages: AlertPages
    links: Links


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    engine: DialogueEngine | None = None,
    notifier: Notifier | None = None,
    assessor: Assessor | None = None,
    data: Path = ROOT / "data",
) -> Application:
    """Wire everything for these settings. Raises ContentError or SettingsError for what cannot be used."""
    now = clock or (lambda: datetime.now(UTC))
    settings.data_path.mkdir(parents=True, exist_ok=True)
    library = load_library(data)
    database = make_engine(settings.database)
    vault = Vault(*clinic_keys(settings))
    uow = Store(database, vault)
    jurisdiction = load_jurisdiction(data / "jurisdictions", settings.jurisdiction)
    assessor = assessor or AssessorOnDemand(data / "safety")
    policy = load_policy(data / "escalation/policy.yml", settings.time_zone)
    clinic = ClinicFacts(
        name=settings.clinic_name,
        phone=settings.clinic_phone,
        oncall_phone=settings.oncall_phone,
        hours=settings.clinic_hours,
        covered=settings.on_call_cover,
    )
    news = {f"staff_news.{k}": v for k, v in load_phrases(data / "escalation/news.yml", "staff_news").items()}
    telling = Telling(texts_for_telling(library.texts) | news, clinic)
    paging = Paging(now, policy, telling, declared_cover=settings.on_call_cover)
    claims = load_phrases(data / "escalation/claims.yml", "claims_of_sending")
    escalation = EscalationService(uow, now, policy, paging, telling, claims)
    sittings = SittingService(uow, now, library, compile_library, escalation, telling)
    retractions = load_phrases(data / "escalation/retractions.yml", "retractions")
    links = Links(settings.session_secret, settings.address)
    own = {"clinic_name": clinic.name, "clinic_phone": clinic.phone}

    def crisis_texts(tx: Transaction, verdict: Verdict, patient: Patient) -> list[tuple[str, str]]:
        return opening_texts(library, verdict, sittings.slots(tx, patient, now()))

    unavailable = fill(library.texts["safety_shared.gate_unavailable"][0][0], own)
    mail = settings.mail_url or development_mail_url(settings.sink_port, settings.mail_from)
    channel = notifier or AppriseNotifier(mail)
    rasa = engine or RasaEngine(settings.rasa_port, settings.channel_secret, settings.turn_seconds)
    wordings = digest_wordings(library, assessor)
    requests = RequestService(uow, now, policy, escalation)
    return Application(
        settings=settings,
        clock=now,
        library=library,
        database=database,
        uow=uow,
        assessor=assessor,
        access=AccessService(uow, now, library),
        screening=ScreeningService(uow, now, assessor, escalation, crisis_texts, unavailable, retractions),
        conversation=ConversationService(uow, now, rasa, sittings, fill(AWAY_TEXT, own), jurisdiction),
        sittings=sittings,
        escalation=escalation,
        delivery=DeliveryService(uow, now, channel, escalation, links, settings.clinic_name),
        digests=DigestService(uow, now, wordings),
        caseload=CaseloadService(uow, now),
        desk=DeskService(uow, now, library, requests),
        schedule=ScheduleService(uow, now),
        digest_notices=DigestNoticeService(uow, now, channel, links, settings.clinic_name, settings.time_zone),
        wordings=wordings,
        read_schedule=read_schedule,
        fhir_bundle=fhir_bundle,
        journal=JournalService(uow, now),
        programme=ProgrammeService(uow, now),
        sign_in=SignInService(uow, now, session_limits(settings), settings.session_secret, settings.address),
        privacy=PrivacyService(
            uow,
            now,
            jurisdiction.retention,
            partial(forget_conversation, settings.tracker_store),
            partial(forget_freed_pages, database),
        ),
        keys=KeyService(uow, now, vault),
        jurisdiction=jurisdiction,
        notifier=channel,
        rota=RotaService(uow, now, policy, is_address),
        watch=WatchService(uow, now, policy, escalation, assessor, time.fromisoformat(settings.drill_at)),
        requests=requests,
        reports=ReportService(uow, now, policy),
        reminders=ReminderService(uow, now, channel),
        pins=DevicePinService(uow, now, Argon2Pins()),
        alert_pages=AlertPages(uow, now, escalation),
        links=links,
    )


def clinic_keys(settings: Settings) -> list[str]:
    """The clinic's key, then the earlier ones. Raises KeyUnavailable."""
    current = clinic_key(value=settings.clinic_key, file=settings.clinic_key_file, command=settings.clinic_key_command)
    return [current, *(key for key in settings.earlier_clinic_keys.split(",") if key)]


def session_limits(settings: Settings) -> dict[bool, SessionLimits]:
    """How long a session lives, by whether it is a staff member's."""
    whole = timedelta(hours=settings.session_hours)
    idle = {True: settings.staff_idle_minutes, False: settings.patient_idle_minutes}
    return {staff: SessionLimits(idle=timedelta(minutes=minutes), absolute=whole) for staff, minutes in idle.items()}


def opening_texts(library: Library, verdict: Verdict, slots: dict[str, str]) -> list[tuple[str, str]]:
    """What an emergency's response flow says first, as (text id, text): shown before Rasa is asked."""
    primary = verdict.primary
    flow = library.flows.get(f"{primary.value}.emergency") if primary is not None else None
    flow = flow or library.flows["suicide.emergency"]
    return [(f"{flow.id}.say.{n}", fill(variants[0], slots)) for n, variants in enumerate(flow.say, start=1)]
