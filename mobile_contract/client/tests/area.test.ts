import { describe, expect, it } from 'vitest'
import { doorState, emptyArea, fillCampaigns, formsDue, isSweeping, peace, type LastVisit } from '../src/app/area'
import { floorOf } from '../src/app/floors'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 20, 2, 0)

function sweep(due: object[], more: object = {}, campaign: object = {}) {
  const area = emptyArea()
  const rounds = [{ n: 1, from_ms: NOW - 10 * DAY, to_ms: NOW + 10 * DAY }]
  const data = { name: '冬季防火', rounds, cool_down_days: 14, quiet_from: '20:00', quiet_until: '08:00', ...campaign }
  const target = { kind: 'household', forms: [], last_contact_ms: null, due, ...more }
  fillCampaigns(area, [{ entity: 'campaign', id: 'c', data }], [{ entity: 'target', id: 'door', data: target }])
  return area
}
const due = (state = 'not_visited', forms = ['ebike_charging']) => [{ campaign_id: 'c', round: 1, forms, state, attempts: 0, slots: 0 }]
const visit = (outcome: string, forms: string[] = [], at_ms = NOW - DAY): LastVisit => ({
  place_id: 'door', record_id: 'r', at_ms, outcome,
  blocks: forms.map((form) => ({ form, version: 1, place_id: 'door', answers: {} })),
})

describe('how a door stands', () => {
  it('by its campaigns', () => {
    const area = sweep(due())
    expect(isSweeping(area, NOW)).toBe(true)
    expect(formsDue(area, 'door', NOW)).toEqual(['ebike_charging'])
    expect(doorState(area, 'door', NOW, true)).toBe('todo')
    expect(doorState(area, 'elsewhere', NOW, true)).toBe('none')
    expect(doorState(sweep(due('no_answer')), 'door', NOW, true)).toBe('again')
  })

  it('by this phone, before the feed has heard of it', () => {
    const area = sweep(due())
    const states = [visit('done', ['ebike_charging']), visit('done', ['gas_retrofit']), visit('no_answer'), visit('vacant')].map((one) => {
      area.visits = new Map([['door', one]])
      return doorState(area, 'door', NOW, true)
    })
    expect(states).toEqual(['done', 'again', 'again', 'done'])
    area.visits = new Map([['door', visit('vacant', [], NOW - 11 * DAY)]])
    expect(doorState(area, 'door', NOW, true)).toBe('todo')
  })

  it('once a round is over nothing of it is due', () => {
    const area = sweep(due(), {}, { rounds: [{ n: 1, from_ms: NOW - 10 * DAY, to_ms: NOW }] })
    expect([isSweeping(area, NOW), formsDue(area, 'door', NOW)]).toEqual([false, []])
    expect(doorState(area, 'door', NOW, false)).toBe('todo')
  })

  it('people who were met lately, and quiet hours, are named', () => {
    expect(peace(sweep(due(), { last_contact_ms: NOW - 3 * DAY }), 'door', NOW)).toEqual({ days: 3, quiet: null })
    const night = Date.UTC(2026, 10, 20, 13, 0)
    expect(peace(sweep(due()), 'door', night)).toEqual({ days: null, quiet: '20:00–08:00' })
  })
})

it('floors are read off the names of doors', () => {
  const names = ['301室', '3-2-301', '1201', 'B1-02', '３楼东户', '二单元', '8号2单元301', '5室']
  expect(names.map(floorOf)).toEqual([3, 3, 12, -1, 3, null, 3, null])
})
