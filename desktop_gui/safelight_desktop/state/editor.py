"""The open picture with its regions and renditions: what the main window shows and steers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QUndoStack

from safelight.client.restoration import Installed, Restored
from safelight.errors import Cancelled, InvalidRequest, SafelightError
from safelight.geometry import Rect
from safelight.imaging.files import MetadataPolicy
from safelight.settings import WORKING_SCALE_LEAST, WORKING_SCALE_MOST, RestoreSettings
from safelight.spec import PipelineSpec
from safelight_desktop.planes.enlarged import Resampling
from safelight_desktop.planes.layers import PictureLayer
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink, Greeting
from safelight_desktop.rpc.restoring import RestoreCall
from safelight_desktop.state.compare import CompareState
from safelight_desktop.state.composition import Composer, shown_in_place
from safelight_desktop.state.document import Document, document_of_image, load_document
from safelight_desktop.state.estimate import expected_working_scale
from safelight_desktop.state.history import Presence, Reshape
from safelight_desktop.state.jobs import Job, JobPlan, Jobs
from safelight_desktop.state.painting import BrushState
from safelight_desktop.state.project import Look, Project, copied
from safelight_desktop.state.project_file import SUFFIX, read_project
from safelight_desktop.state.refresh import LiveRefresh, Wish
from safelight_desktop.state.region import Region, Rendition
from safelight_desktop.state.saving import SavePlan
from safelight_desktop.state.selection import Selection, whole
from safelight_desktop.state.settings_form import LIVE, SettingsForm
from safelight_desktop.state.view import ViewState
from safelight_desktop.state.words import WordsState
from safelight_desktop.state.work import work_of

T = TypeVar("T")

STARTS_MOST = 3  # of a job whose daemon was lost; the job itself may be what kills it
PATCHES_FROM_PX = 1_000_000
"""Larger regions are refreshed first where they are seen."""


class Editor(QObject):
    """Everything about one picture. `failed` carries what a person must be told."""

    opening = Signal(str)
    """A picture of this name is being read."""
    document_changed = Signal()
    leaving = Signal()
    """The open picture is about to be closed, or to give way to another one."""
    regions_changed = Signal()
    """Their number, names, places or renditions."""
    active_changed = Signal()
    picture_changed = Signal()
    """Before or after look different."""
    rendered = Signal(Rendition, PipelineSpec)
    """A run gave a rendition."""
    resumed = Signal(int)
    """So many jobs that a lost daemon had begun are run again by the one that is there now."""
    failed = Signal(SafelightError)

    def __init__(self, link: DaemonLink, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.link, self._background = link, background
        self.view = ViewState(self)
        self.compare = CompareState(self)
        self.brush = BrushState(self)
        self.form = SettingsForm(self)
        self.jobs = Jobs(self)
        self.refresh = LiveRefresh(self._refresh_call, self)
        self.words = WordsState(self, self)
        self.words.failed.connect(self.failed)
        self.history = QUndoStack(self)
        self.document: Document | None = None
        self.regions: list[Region] = []
        self.active: Region | None = None
        self.other: Document | None = None
        """A picture of another file that is shown as before."""
        self.project_path: Path | None = None
        """File that the open project came from or went to."""
        self.monitor_icc = b""
        self.resampling: Resampling = "bicubic"
        self._composer: Composer | None = None
        self._layers: tuple[PictureLayer, PictureLayer] | None = None
        self._opening = 0
        self._interrupted: list[JobPlan] = []
        link.greeted.connect(self._greeted)
        self.jobs.finished.connect(self._take_result)
        self.jobs.failed.connect(self._job_failed)
        self.refresh.refreshed.connect(self._changed_pictures)
        self.refresh.failed.connect(self.failed)
        self.form.values_changed.connect(self._value_changed)

    # -- pictures -------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Reads a picture or a project off this thread; `document_changed` follows, or `failed`."""
        if path.suffix.lower() == SUFFIX:
            self.open_by(path.name, lambda: read_project(path), lambda p: self.show_project(p, path))
        else:
            self.open_by(path.name, lambda: load_document(path), self.show_document)

    def open_image(self, image: QImage, name: str) -> None:
        """A pasted picture."""
        self.open_by(name, lambda: document_of_image(image, name), self.show_document)

    def open_by(
        self,
        name: str,
        load: Callable[[], T],
        show: Callable[[T], None],
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Runs `load` off this thread, then `show` here; or `given_up`, where it fails or something else was opened
        meanwhile."""
        self._opening += 1
        number = self._opening
        self.opening.emit(name)

        def loaded(answer: T) -> None:
            if number == self._opening:
                show(answer)
            else:
                given_up()

        def refused(error: SafelightError) -> None:
            given_up()
            if number == self._opening:
                self.document_changed.emit()
                self.failed.emit(error)

        self._background.run(load, loaded, refused)

    def show_document(self, document: Document, project_path: Path | None = None) -> None:
        """From now on this one; what was made of the last one is let go."""
        self.leaving.emit()
        self.cancel()
        self.refresh.forget()
        self.history.clear()
        self.document, self.other, self._composer = document, None, None
        self.project_path = project_path
        self.regions = [Region("", whole(document.size))]
        self.active = self.regions[0]
        self.view.show_document(document.size)
        self.form.choose_scale(2)
        self._preload()
        self._changed_pictures()
        self.document_changed.emit()
        self.regions_changed.emit()
        self.active_changed.emit()

    def close_document(self) -> None:
        """Back to no picture at all."""
        self._opening += 1
        self.leaving.emit()
        self.cancel()
        self.refresh.forget()
        self.history.clear()
        self.document, self.other, self.regions, self.active = None, None, [], None
        self._composer = self.project_path = None
        self._changed_pictures()
        self.document_changed.emit()
        self.regions_changed.emit()
        self.active_changed.emit()

    # -- projects -------------------------------------------------------------------------------------

    def project(self) -> Project:
        """All that was done to the open picture, as it is now."""
        if self.document is None or self.active is None:
            raise RuntimeError("there is no picture")
        view, compare = self.view, self.compare
        look = Look(view.zoom, view.centre, view.fitted, compare.mode.value, compare.stacked, compare.divider)
        active = self.regions.index(self.active)
        return Project(self.document, copied(self.regions), active, self.form.recipe(), look)

    def show_project(self, project: Project, path: Path | None = None) -> None:
        """The picture with all that was done to it; `path` is the project's file."""
        self.show_document(project.document, path)
        self.regions = list(project.regions)
        self.active = self.regions[project.active]
        self.form.take_recipe(project.recipe)
        look = project.look
        self.view.look_as(look.zoom, look.centre, look.fitted)
        self.compare.look_as(look.mode, look.divider, stacked=look.stacked)
        self._changed_pictures()
        self.regions_changed.emit()
        self.active_changed.emit()

    # -- regions --------------------------------------------------------------------------------------

    def add_region(self, selection: Selection) -> Region:
        """It becomes the active one."""
        region = Region("", selection)
        self.history.push(Presence(self._put_region, self._take_region, region, added=True))
        return region

    def add_region_in_sight(self) -> Region | None:
        """A box of half the sides of what is in sight, in its middle: to begin without a mouse."""
        seen = self.view.visible
        if self.document is None or min(seen.size) < 4:
            return None
        width, height = seen.width // 2, seen.height // 2
        box = Rect(seen.x + (seen.width - width) // 2, seen.y + (seen.height - height) // 2, width, height)
        return self.add_region(Selection("rectangle", box))

    def reshaped(self, region: Region, before: Selection) -> None:
        """A change that has been made with `reshape` is over: it can be undone as one."""
        self.history.push(Reshape(self.reshape, region, before))

    def remove_region(self, region: Region) -> None:
        """The whole picture stays."""
        if not region.whole:
            self.history.push(Presence(self._put_region, self._take_region, region, added=False))

    def _put_region(self, region: Region) -> None:
        self.regions.append(region)
        self.regions_changed.emit()
        self.activate(region)

    def _take_region(self, region: Region) -> None:
        at = self.regions.index(region)
        self.regions.remove(region)
        self.regions_changed.emit()
        if region is self.active:
            self.activate(self.regions[at - 1])
        self._changed_pictures()

    def activate(self, region: Region) -> None:
        """A region is restored in place unless a person says otherwise; the whole picture is enlarged."""
        if region is self.active:
            return
        self.active = region
        if region.chosen is not None:
            self.form.take_settings(region.chosen.settings)
        else:
            self.form.choose_scale(2 if region.whole else 1)
        self.active_changed.emit()
        self._changed_pictures()

    def rename(self, region: Region, name: str) -> None:
        """Empty: it is called by its number again."""
        if name != region.name:
            region.name = name
            self.regions_changed.emit()

    def step_region(self, by: int) -> None:
        """The next or last one, round and round."""
        if self.active is not None:
            at = (self.regions.index(self.active) + by) % len(self.regions)
            self.activate(self.regions[at])

    def reshape(self, region: Region, selection: Selection) -> None:
        """Another place, mask or strength. Where the box stays, a finished rendition follows at once."""
        region.selection = selection
        self.regions_changed.emit()
        self._changed_pictures()
        self._follow(region)

    # -- renditions -----------------------------------------------------------------------------------

    def run(self) -> Job | None:
        """Restores the active region with the settings of the form."""
        document, region, spec, client = self.document, self.active, self.form.spec, self.link.client
        if document is None or region is None or spec is None:
            return None
        if client is None:
            self.link.connect_now()
            return None
        try:
            settings = self.form.settings()
        except InvalidRequest as error:
            self.failed.emit(error)
            return None
        return self.run_with(region, spec, settings)

    def run_with(
        self, region: Region, spec: PipelineSpec, settings: RestoreSettings, starts: int = 1
    ) -> Job | None:
        document, client = self.document, self.link.client
        if document is None or client is None:
            return None
        work, sent = work_of(document, region.selection, settings, spec)
        call = RestoreCall(client, work, sent, focus=self._looked_at(region))
        return self.jobs.start(JobPlan(spec, region, region.selection, settings, starts), call)

    def cancel(self) -> None:
        """What runs, and what waits for a daemon to come back."""
        self._interrupted = []
        self.jobs.cancel_all()

    def run_all_pipelines(self) -> None:
        """One rendition by each installed pipeline, with its own defaults but for what a person chose."""
        region = self.active
        if region is None:
            return
        for installed in self.form.pipelines:
            if installed.installed and self.form.output_scale in installed.spec.output_scales:
                settings = self.form.settings_for(installed.spec)
                self.run_with(region, installed.spec, settings)

    def run_working_scales(self) -> None:
        """Renditions at half, the automatic and double the working scale."""
        region, spec, document = self.active, self.form.spec, self.document
        if region is None or spec is None or document is None:
            return
        settings = self.form.settings()
        automatic = expected_working_scale(spec, region.selection, settings)
        for factor in (0.5, 1.0, 2.0):
            scale = min(max(automatic * factor, WORKING_SCALE_LEAST), WORKING_SCALE_MOST)
            self.run_with(region, spec, replace(settings, working_scale=scale))

    def _looked_at(self, region: Region) -> tuple[int, int] | None:
        seen = self.view.visible.intersect(region.selection.rect)
        return None if seen.empty else (seen.x + seen.width // 2, seen.y + seen.height // 2)

    def _take_result(self, job: Job, restored: Restored) -> None:
        plan, region = job.plan, job.plan.region
        if region not in self.regions:
            return
        rendition = Rendition(
            plan.spec.title, plan.settings, job.call.settings, plan.selection, job.call.work, restored
        )
        region.renditions.append(rendition)
        region.chosen = rendition
        self.rendered.emit(rendition, plan.spec)
        self.regions_changed.emit()
        self._changed_pictures()

    def choose(self, rendition: Rendition | None) -> None:
        """What the active region shows (B)."""
        if self.active is None or self.active.chosen is rendition:
            return
        self.active.chosen = rendition
        if rendition is not None:
            self.form.take_settings(rendition.settings)
        self.regions_changed.emit()
        self._changed_pictures()

    def choose_against(self, rendition: Rendition | None) -> None:
        """What it is compared with (A)."""
        if self.active is None or (self.active.against is rendition and self.other is None):
            return
        self.active.against, self.other = rendition, None
        self.regions_changed.emit()
        self._changed_pictures()

    def step(self, by: int, *, against: bool = False) -> None:
        """The next or last rendition in the list that begins with the original."""
        if self.active is None:
            return
        choices: list[Rendition | None] = [None, *self.active.renditions]
        now = choices.index(self.active.against if against else self.active.chosen)
        wanted = choices[min(max(now + by, 0), len(choices) - 1)]
        (self.choose_against if against else self.choose)(wanted)

    def remove_rendition(self, rendition: Rendition) -> None:
        for region in self.regions:
            if rendition in region.renditions:
                region.renditions.remove(rendition)
                if region.chosen is rendition:
                    region.chosen = region.renditions[-1] if region.renditions else None
                if region.against is rendition:
                    region.against = None
        self.regions_changed.emit()
        self._changed_pictures()

    # -- what is drawn --------------------------------------------------------------------------------

    def layers(self) -> tuple[PictureLayer, PictureLayer] | None:
        """Before and after; the same objects until `picture_changed`."""
        if self.document is None or self.active is None:
            return None
        if self._composer is None:
            self._composer = Composer(self.document, self.monitor_icc)
        if self._layers is None:
            self._layers = self._composer.pair(self.regions, self.active, self.resampling, self.other)
        return self._layers

    def compare_with(self, path: Path) -> None:
        """Reads another file and shows it as before, whatever its size."""
        self._background.run(lambda: load_document(path), self._compare_with, self.failed.emit)

    def _compare_with(self, other: Document) -> None:
        if self.document is not None:
            self.other = other
            self.regions_changed.emit()
            self._changed_pictures()

    def set_resampling(self, resampling: Resampling) -> None:
        """How the original is enlarged where it is compared with a larger result."""
        self.resampling = resampling
        self._changed_pictures()

    def set_monitor(self, icc: bytes) -> None:
        """The profile of the screen; empty: sRGB."""
        self.monitor_icc, self._composer = icc, None
        self._changed_pictures()

    def save_plan(self, policy: MetadataPolicy = "keep", *, record: bool = True) -> SavePlan:
        """The picture as it stands now; the enlarged result alone where the active region shows one."""
        if self.document is None or self.active is None:
            raise RuntimeError("there is no picture to save")
        shown = self.active.shown
        enlarged = shown if shown is not None and shown.scale > 1 else None
        in_place = tuple(shown_in_place(self.regions))
        return SavePlan(self.document, in_place, enlarged, policy, record)

    def close(self) -> None:
        """What runs is cancelled; nothing is told any more."""
        self.history.blockSignals(True)
        self.refresh.forget()
        self.jobs.close()

    def _changed_pictures(self, *_: object) -> None:
        self._layers = None
        self.picture_changed.emit()

    def _preload(self) -> None:
        """The chosen pipeline is loaded while a person still looks for what to restore."""
        pipeline = self.form.pipeline
        if (
            pipeline is not None
            and pipeline.installed
            and not pipeline.resident
            and self.link.client is not None
        ):
            name = pipeline.spec.id
            self.link.call(lambda client: client.load(name), lambda _: None, lambda _: None)

    def _greeted(self, greeting: Greeting) -> None:
        self.form.take_pipelines(greeting.pipelines, greeting.default_pipeline)
        plans, self._interrupted = self._interrupted, []
        plans = [plan for plan in plans if plan.region in self.regions]
        for plan in plans:
            self.run_with(plan.region, plan.spec, plan.settings, plan.starts + 1)
        if plans:
            self.resumed.emit(len(plans))

    def ask_pipelines(self) -> None:
        """Again: something was installed or removed."""

        def known(told: tuple[list[Installed], str]) -> None:
            self.form.take_pipelines(*told)

        self.link.call(
            lambda client: (client.pipelines(), client.default_pipeline()), known, self.failed.emit
        )

    def _job_failed(self, job: Job, error: SafelightError) -> None:
        if isinstance(error, Cancelled):
            return
        if error.reason == "DAEMON_GONE" and job.plan.starts < STARTS_MOST and not job.call.cancelling:
            self._interrupted.append(job.plan)
        self.link.notice(error)
        self.failed.emit(error)

    # -- live values ----------------------------------------------------------------------------------

    def _value_changed(self, name: str) -> None:
        if self.active is not None and (name in LIVE or not name):
            self._follow(self.active)

    def _follow(self, region: Region) -> None:
        """Asks for the chosen rendition with the form's live values, where nothing else differs."""
        rendition, spec = region.shown, self.form.spec
        if (
            rendition is None
            or spec is None
            or self.document is None
            or rendition.settings.pipeline != spec.id
        ):
            return
        try:
            wanted = self.form.settings()
        except InvalidRequest:
            return
        asked = replace(rendition.settings, **{name: getattr(wanted, name) for name in LIVE})
        if asked == rendition.settings and region.selection is rendition.selection:
            return
        work, sent = work_of(self.document, region.selection, asked, spec)
        patch = self._patch_in_sight(region)
        self.refresh.wish(Wish(rendition, asked, region.selection, work, sent, patch))

    def _patch_in_sight(self, region: Region) -> Rect | None:
        rect = region.selection.rect
        seen = self.view.visible.intersect(rect)
        large = rect.size.area > PATCHES_FROM_PX and seen.size.area <= rect.size.area / 2
        return seen if large and not seen.empty and "patches" in self.link.capabilities else None

    def _refresh_call(self, wish: Wish) -> RestoreCall | None:
        if self.link.client is None:
            return None
        return RestoreCall(self.link.client, wish.work, wish.sent, previews=False, patch=wish.patch)
