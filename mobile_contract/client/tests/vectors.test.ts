/** Phone and server agree: the vectors that the server's own code wrote, replayed here. */
import { describe, expect, it } from 'vitest'
import vectors from '../../rules/vectors.json'
import { hazardId } from '../src/engine/ids'
import { webPlatform } from '../src/engine/platform'
import { defects, judge, openedForms, read } from '../src/forms/conditions'
import type { Form, Rule } from '../src/forms/definition'
import { dueAtMs, evaluate, locusOf } from '../src/forms/rules'
import { formOf, rulesOf } from './definitions'

const RESULT: Record<string, string> = { true: 'present', false: 'absent', unknown: 'unknown' }
const set = (names: Iterable<string>) => [...names].sort()

describe('logic', () => {
  const { conditions, cases } = vectors.logic
  const form = vectors.logic.form as unknown as Form
  for (const [i, example] of cases.entries()) {
    it(`case ${i}: ${JSON.stringify(example.answers)}`, () => {
      const reading = read(form, example.answers)
      expect(set(reading.hidden)).toEqual(set(example.hidden))
      expect(set(reading.undecided)).toEqual(set(example.undecided))
      expect(conditions.map((condition) => RESULT[String(judge(condition, reading.values))])).toEqual(example.results)
    })
  }
})

describe('blocks of the shipped forms', () => {
  for (const [i, block] of vectors.blocks.entries()) {
    it(`${block.form} ${i}`, async () => {
      const form = formOf(block.form, block.version)
      const reading = read(form, block.answers)
      expect(set(reading.hidden)).toEqual(set(block.hidden))
      expect(set(reading.undecided)).toEqual(set(block.undecided))
      expect(openedForms(form, block.answers)).toEqual(block.opens)
      expect(locusOf(form, block.answers)).toBe(block.locus)
      const version = (block as { rules_version?: number | null }).rules_version ?? null
      const rules: Rule[] = version === null ? [] : rulesOf(block.form, version).rules
      expect(Object.fromEntries(evaluate(form, rules, block.answers))).toEqual(block.results ?? {})
      for (const [chain, id] of Object.entries(block.hazards ?? {})) {
        expect(await hazardId(webPlatform, vectors.community, vectors.place, chain, block.locus)).toBe(id)
      }
    })
  }

  it('no condition failed for another reason than a missing answer', () => {
    expect([...defects]).toEqual([])
  })
})

it('loci', () => {
  const form = formOf('ebike_charging', 1)
  for (const { answers, locus } of vectors.loci) expect(locusOf(form, answers)).toBe(locus)
})

it('deadlines', () => {
  for (const row of vectors.deadlines) expect(dueAtMs(row.due, row.effective_ms)).toBe(row.due_at_ms)
})
