"""What gunicorn serves: ``backend.wsgi:app``."""

from backend.app import create_app
from backend.logs import configure_logs
from backend.settings import load_settings

settings = load_settings()
configure_logs(settings.log_level)
app = create_app(settings)
