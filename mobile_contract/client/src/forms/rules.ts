/** Rules at the doorstep: what these answers make a hazard of, until when, and which hazard it is. */
import { fieldsRead, judge, read, type Verdict } from './conditions'
import type { Answers, Form, PublishedForm, Rule, Severity } from './definition'

export type RuleResult = 'present' | 'absent' | 'unknown'

const RESULT: Record<string, RuleResult> = { true: 'present', false: 'absent', unknown: 'unknown' }

function datedField(rule: Rule): string | null {
  return rule.at ? rule.at.trim().split(/\s/)[0]! : null
}

function resultOf(rule: Rule, values: Record<string, unknown>): RuleResult {
  const verdict: Verdict = rule.when === undefined ? true : judge(rule.when, values)
  const result = RESULT[String(verdict)]!
  const field = datedField(rule)
  if (result !== 'present' || field === null) return result
  if (!(field in values)) return 'unknown'
  return values[field] === null ? 'absent' : 'present'
}

/** The result of every rule for one block of answers. */
export function evaluate(form: Form, rules: Rule[], answers: Answers): Map<string, RuleResult> {
  const { values, hidden } = read(form, answers)
  const strict = Object.fromEntries(Object.entries(values).filter(([name]) => !hidden.has(name)))
  return new Map(rules.map((rule) => [rule.code, resultOf(rule, rule.hidden === 'unknown' ? strict : values)]))
}

/** The community's rules at a time: the last change that began by then counts, in the place of the rule's own. */
export function rulesAt(published: PublishedForm, nowMs: number): Rule[] {
  const found: Rule[] = []
  for (const rule of published.rules?.rules ?? []) {
    const override = published.overrides.filter((row) => row.rule === rule.code && row.effective_from_ms <= nowMs).at(-1)
    if (override && !override.enabled) continue
    found.push({ ...rule, due: override?.due ?? rule.due, ...(override?.when ? { when: override.when } : {}) })
  }
  return found
}

const BLANKS = '[ \\t\\n\\v\\f\\r\\u0085\\u1680\\u2028\\u2029\\ufeff]+'
const EDGES = new RegExp(`^${BLANKS}|${BLANKS}$`, 'g')

/** Canonical text of the object that a block describes; empty when its form knows one object a place. */
export function locusOf(form: Form, answers: Answers): string {
  return (form.locus ?? [])
    .map((name) => {
      const value = answers[name]
      if (value === null || value === undefined) return '-'
      return String(value).normalize('NFKC').replace(EDGES, '').toUpperCase() || '-'
    })
    .join('/')
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SHANGHAI_MS = 8 * HOUR_MS

/** "0" is today, "24h" exact hours, "7d" the end of the seventh day after, on the clock of Shanghai. */
export function dueAtMs(due: string, effectiveMs: number): number {
  if (due.endsWith('h')) return effectiveMs + Number(due.slice(0, -1)) * HOUR_MS
  const days = Number(due.replace('d', ''))
  return (Math.floor((effectiveMs + SHANGHAI_MS) / DAY_MS) + days + 1) * DAY_MS - SHANGHAI_MS - 1
}

export interface Finding {
  /** Group, or code of a rule without one: what is one hazard. */
  chain: string
  rules: Rule[]
  severity: Severity
  dueMs: number
  locus: string
}

const GRAVITY: Severity[] = ['red', 'orange', 'yellow', 'blue']

/** Rules that fire, gathered by chain: highest severity, earliest deadline, as the server will see it. */
export function findings(published: PublishedForm, answers: Answers, nowMs: number): Finding[] {
  const form = published.definition
  const rules = rulesAt(published, nowMs)
  const results = evaluate(form, rules, answers)
  const byChain = new Map<string, Finding>()
  for (const rule of rules) {
    // A dated rule comes true on its day; nothing is wrong at the door yet.
    if (results.get(rule.code) !== 'present' || rule.at) continue
    const chain = rule.group ?? rule.code
    const dueMs = dueAtMs(rule.due, nowMs)
    const held = byChain.get(chain)
    if (!held) {
      byChain.set(chain, { chain, rules: [rule], severity: rule.severity, dueMs, locus: locusOf(form, answers) })
      continue
    }
    held.rules.push(rule)
    held.dueMs = Math.min(held.dueMs, dueMs)
    if (GRAVITY.indexOf(rule.severity) < GRAVITY.indexOf(held.severity)) held.severity = rule.severity
  }
  return [...byChain.values()].sort((a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity))
}

/** Questions whose answer would decide a rule that is unknown: asked again before the worker leaves the door. */
export function undecidedBy(published: PublishedForm, answers: Answers, nowMs: number): string[] {
  const rules = rulesAt(published, nowMs)
  const results = evaluate(published.definition, rules, answers)
  const names = rules.filter((rule) => results.get(rule.code) === 'unknown' && rule.when).flatMap((r) => fieldsRead(r.when!))
  return [...new Set(names)].filter((name) => answers[name] === undefined)
}
