"""What may be wrong with a campaign, as facts."""

from backend.errors import Conflict, InvalidInput, NotFound
from backend.http.messages import add_messages


class CampaignNotFound(NotFound):
    pass


class CampaignAlreadyStarted(Conflict):
    pass


class CampaignNotRunning(Conflict):
    """It was not started yet, or it is over."""


class CampaignEmpty(Conflict):
    pass


class CampaignPeriodWrong(InvalidInput):
    pass


class CampaignScopeUnknown(InvalidInput):
    """A place of the scope is not known, or not the caller's."""


class CampaignFormsUnfit(InvalidInput):
    """A form that is due nowhere, or a kind of place at which nothing is due."""


class RoundUnknown(NotFound):
    pass


class BuildingNotInCampaign(NotFound):
    pass


class BuildingStepOutOfTurn(Conflict):
    pass


class BuildingHasMissedDoors(Conflict):
    pass


add_messages(
    {
        "campaign_not_found": ("没有此专项行动。", "There is no such campaign."),
        "campaign_already_started": ("该行动已启动，底数已冻结。", "The campaign was started; its doors are frozen."),
        "campaign_not_running": ("该行动未启动或已结束。", "The campaign was not started, or it is over."),
        "campaign_empty": (
            "范围内没有应查的户或楼，请检查范围和类型。",
            "Nothing in its scope is to be visited; look at it again.",
        ),
        "campaign_period_wrong": (
            "期限有误：须先开始后结束、尚未结束，且不超过 60 轮。",
            "The period is wrong: it must begin before it ends, not be over, and have at most 60 rounds.",
        ),
        "campaign_scope_unknown": ("范围中有不存在或无权管理的地点。", "A place of the scope is unknown or not yours."),
        "campaign_forms_unfit": (
            "表单与类型不匹配：每张表至少对应一类对象，每类对象至少有一张表。",
            "Forms and kinds do not fit: each form needs a kind it is for, each kind a form.",
        ),
        "round_unknown": ("该行动没有这一轮。", "The campaign has no such round."),
        "building_not_in_campaign": ("该楼栋不在此行动中。", "The building is not in this campaign."),
        "building_step_out_of_turn": (
            "当前状态不能进行此操作，请刷新后再试。",
            "The building's state does not allow this now; look again.",
        ),
        "building_has_missed_doors": (
            "该楼栋还有 {doors} 户未完成，不能认定已查完。",
            "{doors} doors of the building are still to be visited; it cannot be approved.",
        ),
    }
)
