/** Forms and rules as the feed sends them. */

export interface Label {
  zh: string
  en: string
}

export type FieldType =
  | 'text' | 'long_text' | 'integer' | 'money' | 'decimal' | 'boolean' | 'yes_no' | 'one_of' | 'many_of'
  | 'date' | 'datetime' | 'photos' | 'signature' | 'reference' | 'location' | 'visitors'

export interface Choice extends Label {
  exclusive?: boolean
}

export interface Field {
  id: string
  label: Label
  type: FieldType
  required?: boolean
  choices?: Record<string, Choice>
  visible_when?: string
  sensitive?: string
  unit?: Label
  minimum?: number
  maximum?: number
}

export interface Form {
  code: string
  version: number
  title: Label
  place_kinds?: string[]
  locus?: string[]
  opens?: { form: string; when: string }[]
  fields: Field[]
}

export type Severity = 'red' | 'orange' | 'yellow' | 'blue'

export interface Rule {
  code: string
  group?: string
  title: Label
  severity: Severity
  when?: string
  at?: string
  due: string
  hidden?: string
  due_note?: Label | string
  actions?: (string | { do: string; [key: string]: unknown })[]
  evidence?: string[]
  closers?: string[]
}

export interface RuleSet {
  form: string
  version: number
  rules: Rule[]
}

export interface Override {
  rule: string
  effective_from_ms: number
  enabled: boolean
  due: string | null
  when: string | null
}

export interface PublishedForm {
  code: string
  version: number
  current: boolean
  definition: Form
  rules: RuleSet | null
  overrides: Override[]
}

export type Answers = Record<string, unknown>
