"""The one place that chooses adapters. Everything at the edges gets its services from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine

from bot.adapters.channels import AppriseNotifier, development_mail_url
from bot.adapters.content import load_library
from bot.adapters.crypto import Vault
from bot.adapters.fhir import fhir_bundle
from bot.adapters.language.assess import load_assessor
from bot.adapters.pdf import print_pdf
from bot.adapters.rasa_client import RasaEngine
from bot.adapters.schedule_files import read_schedule
from bot.adapters.sql.engine import make_engine
from bot.adapters.sql.store import Store
from bot.adapters.wordings import digest_wordings
from bot.core.digest.build import Wordings
from bot.core.escalation import PolicyStep
from bot.core.flow.content import Library
from bot.core.flow.render import fill
from bot.core.people import Patient
from bot.core.safety.verdict import Verdict
from bot.services.access import AccessService
from bot.services.caseload import CaseloadService
from bot.services.conversation import ConversationService
from bot.services.delivery import DeliveryService
from bot.services.desk import DeskService
from bot.services.digest_notices import DigestNoticeService
from bot.services.digests import DigestService, PatientView
from bot.services.escalation import EscalationService
from bot.services.ports import Assessor, Clock, DialogueEngine, Notifier, Transaction
from bot.services.schedule import Planned, Refused, ScheduleService
from bot.services.screening import ScreeningService
from bot.services.sittings import ClinicFacts, SittingService
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
    print_pdf: Callable[[str], bytes]  # the page for printing -> PDF
    read_schedule: Callable[[str, bytes, str], tuple[list[Planned], list[Refused]]]  # file name, content, time zone
    fhir_bundle: Callable[[PatientView], dict[str, Any]]


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    engine: DialogueEngine | None = None,
    notifier: Notifier | None = None,
    data: Path = ROOT / "data",
) -> Application:
    """Wire everything for these settings. Raises ContentError or SettingsError for what cannot be used."""
    now = clock or (lambda: datetime.now(UTC))
    settings.data_path.mkdir(parents=True, exist_ok=True)
    library = load_library(data)
    database = make_engine(settings.database)
    uow = Store(database, Vault(settings.clinic_key))
    assessor = load_assessor(data / "safety")
    wordings = digest_wordings(library, assessor)
    escalation = EscalationService(uow, now, load_policy(data / "escalation/policy.yml"))
    clinic = ClinicFacts(
        name=settings.clinic_name,
        phone=settings.clinic_phone,
        oncall_phone=settings.oncall_phone,
        hours=settings.clinic_hours,
        covered=settings.on_call_cover,
    )
    sittings = SittingService(uow, now, library, escalation, clinic)
    own = {"clinic_name": clinic.name, "clinic_phone": clinic.phone}

    def crisis_texts(tx: Transaction, verdict: Verdict, patient: Patient) -> list[tuple[str, str]]:
        return opening_texts(library, verdict, sittings.slots(tx, patient, now()))

    unavailable = fill(library.texts["safety_shared.gate_unavailable"][0][0], own)
    mail = settings.mail_url or development_mail_url(settings.sink_port, settings.mail_from)
    channel = notifier or AppriseNotifier(mail)
    rasa = engine or RasaEngine(settings.rasa_port, settings.channel_secret, settings.turn_seconds)
    return Application(
        settings=settings,
        clock=now,
        library=library,
        database=database,
        uow=uow,
        assessor=assessor,
        access=AccessService(uow, now, library),
        screening=ScreeningService(uow, now, assessor, escalation, crisis_texts, unavailable),
        conversation=ConversationService(uow, now, rasa, sittings, fill(AWAY_TEXT, own)),
        sittings=sittings,
        escalation=escalation,
        delivery=DeliveryService(uow, now, channel, escalation, settings.address, settings.clinic_name),
        digests=DigestService(uow, now, wordings),
        caseload=CaseloadService(uow, now),
        desk=DeskService(uow, now, library),
        schedule=ScheduleService(uow, now),
        digest_notices=DigestNoticeService(
            uow, now, channel, settings.address, settings.clinic_name, settings.time_zone
        ),
        wordings=wordings,
        print_pdf=print_pdf,
        read_schedule=read_schedule,
        fhir_bundle=fhir_bundle,
    )


def opening_texts(library: Library, verdict: Verdict, slots: dict[str, str]) -> list[tuple[str, str]]:
    """What an emergency's response flow says first, as (text id, text): shown before Rasa is asked."""
    primary = verdict.primary
    flow = library.flows.get(f"{primary.value}.emergency") if primary is not None else None
    flow = flow or library.flows["suicide.emergency"]
    return [(f"{flow.id}.say.{n}", fill(variants[0], slots)) for n, variants in enumerate(flow.say, start=1)]


def load_policy(path: Path) -> dict[str, tuple[PolicyStep, ...]]:
    """The escalation policy by level, from its YAML."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))["escalation_policy"]
    return {
        level: tuple(PolicyStep(delay=timedelta(minutes=step["minutes"]), target=step["target"]) for step in steps)
        for level, steps in raw.items()
    }
