"""What this worker does, by kind of job. A kind without a line here is rung for in vain (a test looks)."""

from datetime import timedelta

from worker.compile import compile_places
from worker.deliveries import deliver_messages
from worker.documents import make_documents
from worker.exports import make_exports
from worker.frame import Work
from worker.papers import make_paper
from worker.persons import erase_due, index_persons
from worker.photos import declare_earlier, examine_photos, purge
from worker.schedule import run_schedule

WORKS = (
    Work("compile", compile_places, batch=1000),
    Work("paper", make_paper, lease=timedelta(minutes=10), isolation="REPEATABLE READ"),
    Work("document", make_documents, lease=timedelta(minutes=10)),
    Work("export", make_exports, lease=timedelta(minutes=30), isolation="REPEATABLE READ"),
    Work("deliver", deliver_messages, lease=timedelta(minutes=2)),
    Work("persons", index_persons, lease=timedelta(minutes=5)),
    Work("retention", erase_due, lease=timedelta(minutes=5)),
    Work("photo", examine_photos, lease=timedelta(minutes=2)),
    Work("purge_uploads", purge, lease=timedelta(minutes=10)),
    Work("declare_attachments", declare_earlier, lease=timedelta(minutes=5)),
    Work("schedule", run_schedule, repeat=timedelta(minutes=1)),
)
