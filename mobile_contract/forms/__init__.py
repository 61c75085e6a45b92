"""Forms as data: definitions, what an answer must look like, and which fields are shown."""

from mobile_contract.forms.answer_schema import answers_schema
from mobile_contract.forms.answers import Problem, validate_answers, validate_header
from mobile_contract.forms.catalogue import (
    FormUnknown,
    get_form,
    header_form,
    list_forms,
    load_form,
)
from mobile_contract.forms.definition import (
    Choice,
    DefinitionInvalid,
    Field,
    FieldType,
    Form,
    Label,
    Opening,
)
from mobile_contract.forms.document import digest, form_document, parse_form
from mobile_contract.forms.visibility import Visibility, opened_forms, visibility

__all__ = [
    "Choice",
    "DefinitionInvalid",
    "Field",
    "FieldType",
    "Form",
    "FormUnknown",
    "Label",
    "Opening",
    "Problem",
    "Visibility",
    "answers_schema",
    "digest",
    "form_document",
    "get_form",
    "header_form",
    "list_forms",
    "load_form",
    "opened_forms",
    "parse_form",
    "validate_answers",
    "validate_header",
    "visibility",
]
