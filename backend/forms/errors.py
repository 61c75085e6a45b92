"""What can be wrong with forms and rules, and the sentences for it."""

from backend.errors import NotFound
from backend.http.messages import add_messages


class FormNotFound(NotFound):
    pass


add_messages(
    {
        "form_not_found": ("没有该表单或该版本。", "There is no such form or version."),
        "rule_unknown": ("没有“{rule}”这一规则。", "There is no rule {rule}."),
        "published_version_changed": (
            "已发布的版本“{what}”不得更改，请另立新版本。",
            "The published version {what} cannot change; make a new one.",
        ),
        "definition_refused": ("“{what}”未通过发布检查。", "{what} fails the publishing checks."),
    }
)
