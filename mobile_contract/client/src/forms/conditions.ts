/**
 * Conditions are CEL over the answers, and have three outcomes: a condition that truly depends on an answer that is missing
 * is unknown (待核). A hidden field is null (a hidden list empty): not applicable is not unknown.
 */
import { Environment } from '@marcbachmann/cel-js'
import type { Answers, Field, Form, FieldType } from './definition'

export type Verdict = boolean | 'unknown'
type Values = Record<string, unknown>
type Program = (context: { a: Values }) => unknown

const environment = new Environment({ homogeneousAggregateLiterals: false }).registerVariable('a', 'map')
const programs = new Map<string, Program>()

/** Conditions that failed for another reason than a missing answer: defects of their author, shown on the sync page. */
export const defects = new Map<string, string>()

function programOf(condition: string): Program {
  let program = programs.get(condition)
  if (!program) {
    program = environment.parse(condition) as unknown as Program
    programs.set(condition, program)
  }
  return program
}

export function judge(condition: string, values: Values): Verdict {
  try {
    const result = programOf(condition)({ a: values })
    if (typeof result === 'boolean') return result
    defects.set(condition, `result ${String(result)} is no boolean`)
  } catch (error) {
    if ((error as { code?: string }).code !== 'no_such_key') defects.set(condition, String(error))
  }
  return 'unknown'
}

/** Fields that a condition names. */
export function fieldsRead(condition: string): string[] {
  const bare = condition.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''")
  return [...new Set([...bare.matchAll(/\ba\.([a-z][a-z0-9_]*)/g)].map((match) => match[1]!))]
}

const UNKNOWN = 'unknown'
const MISSING = Symbol('missing')

function wholeNumber(value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : MISSING
}

function code(value: unknown): unknown {
  return typeof value === 'string' && value !== UNKNOWN ? value : MISSING
}

function moment(value: unknown, pattern: RegExp): unknown {
  if (typeof value !== 'string' || !pattern.test(value)) return MISSING
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? MISSING : date
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ].*(?:Z|[+-]\d{2}:?\d{2})$/i

const TYPED: Partial<Record<FieldType, (value: unknown) => unknown>> = {
  integer: wholeNumber,
  money: wholeNumber,
  decimal: (value) => (typeof value === 'number' ? value : MISSING),
  boolean: (value) => (typeof value === 'boolean' ? value : MISSING),
  text: (value) => (typeof value === 'string' ? value : MISSING),
  yes_no: code,
  one_of: code,
  many_of: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string') && !value.includes(UNKNOWN) ? value : MISSING,
  date: (value) => moment(value, DAY),
  datetime: (value) => moment(value, MOMENT),
}

function typed(field: Field, value: unknown): unknown {
  if (value === null || value === undefined) return MISSING
  const convert = TYPED[field.type]
  return convert ? convert(value) : true
}

export interface Reading {
  /** What conditions see. */
  values: Values
  hidden: Set<string>
  /** Fields that hang on an answer that is missing: they cannot be asked, and count as unanswered. */
  undecided: Set<string>
}

/** Fields in the form's order, so that chains of `visible_when` need no search. */
export function read(form: Form, answers: Answers): Reading {
  const reading: Reading = { values: {}, hidden: new Set(), undecided: new Set() }
  for (const field of form.fields) {
    const shown = field.visible_when === undefined ? true : judge(field.visible_when, reading.values)
    if (shown === false) {
      reading.hidden.add(field.id)
      reading.values[field.id] = field.type === 'many_of' ? [] : null
    } else if (shown === true) {
      const value = typed(field, answers[field.id])
      if (value !== MISSING) reading.values[field.id] = value
    } else {
      reading.undecided.add(field.id)
    }
  }
  return reading
}

/** Fields to ask now. */
export function shownFields(form: Form, answers: Answers): Field[] {
  const { hidden, undecided } = read(form, answers)
  return form.fields.filter((field) => !hidden.has(field.id) && !undecided.has(field.id))
}

/** Codes of the forms that these answers bring along, for the same place. */
export function openedForms(form: Form, answers: Answers): string[] {
  if (!form.opens?.length) return []
  const { values } = read(form, answers)
  return form.opens.filter((opening) => judge(opening.when, values) === true).map((opening) => opening.form)
}
