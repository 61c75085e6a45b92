"""What can be wrong with forms and rules, and the sentences for it."""

from backend.errors import NotFound
from backend.http.messages import add_messages


class FormNotFound(NotFound):
    pass


add_messages(
    {
        "form_not_found": ("没有该表单或该版本。", "There is no such form or version."),
        "rule_unknown": ("没有“{rule}”这一规则。", "There is no rule {rule}."),
        "threshold_wrong": (
            "该规则没有此数值，或超出允许范围：{why}",
            "No number of this rule, or out of bounds: {why}",
        ),
        "rule_named_twice": ("同一规则只能列一次。", "A rule is named once."),
        "reassessed_now": (
            "重新判定自现在起生效，请不要填生效时间。",
            "Answers are looked at again now: leave the time out.",
        ),
        "published_version_changed": (
            "已发布的版本“{what}”不得更改，请另立新版本。",
            "The published version {what} cannot change; make a new one.",
        ),
        "definition_refused": ("“{what}”未通过发布检查。", "{what} fails the publishing checks."),
    }
)
