import { describe, expect, it } from 'vitest'
import type { Change, ScopePage } from '../src/engine/ports'
import { FakeServer } from './fake_server'
import { makePhone } from './phone'

const put = (id: string, rev: number, name = id): Change => ({ entity: 'place', id, op: 'put', rev, data: { name } })
const del = (id: string, rev: number): Change => ({ entity: 'place', id, op: 'del', rev, data: null })
const page = (changes: Change[], more: Partial<ScopePage> = {}): ScopePage => ({
  id: 'area:1', reset: false, cursor: 'c', has_more: false, changes, ...more,
})

async function applied(...pages: ScopePage[]) {
  const { store } = await makePhone(new FakeServer())
  await store.allowScopes(['area:1', 'area:2'])
  for (const one of pages) await store.applyPage(one)
  const rows = await store.rows('place')
  return { store, names: rows.map((row) => row.data.name).sort(), cursor: (await store.cursors()).get('area:1') }
}

describe('the feed', () => {
  it('keeps the newest revision in any order', async () => {
    expect((await applied(page([put('a', 2, 'new')]), page([put('a', 1, 'old')]))).names).toEqual(['new'])
    expect((await applied(page([put('a', 2)]), page([del('a', 1)]))).names).toEqual(['a'])
    expect((await applied(page([put('a', 2)]), page([del('a', 3)]))).names).toEqual([])
  })

  it('a row that moved stays while another scope holds it', async () => {
    const other = page([put('a', 3)], { id: 'area:2' })
    expect((await applied(page([put('a', 2)]), other, page([del('a', 3)]))).names).toEqual(['a'])
  })

  it('a reset shows the old until the new is whole, then only the new', async () => {
    const old = page([put('a', 5), put('b', 5)])
    const first = page([put('b', 1, 'b again')], { reset: true, has_more: true, cursor: 'd' })
    expect((await applied(old, first)).names).toEqual(['a', 'b'])
    const last = page([put('c', 1)], { cursor: 'e' })
    const after = await applied(old, first, last)
    expect([after.names, after.cursor]).toEqual([['b again', 'c'], 'e'])
  })

  it('a second reset begins anew', async () => {
    const first = page([put('x', 1)], { reset: true, has_more: true })
    const second = page([put('y', 1)], { reset: true })
    expect((await applied(page([put('a', 1)]), first, second)).names).toEqual(['y'])
  })

  it('a scope that is no longer allowed goes with its rows', async () => {
    const { store } = await applied(page([put('a', 1)]), page([put('b', 1)], { id: 'area:2' }))
    await store.allowScopes(['area:2', 'area:3'])
    expect((await store.rows('place')).map((row) => row.id)).toEqual(['b'])
    expect([...(await store.cursors())]).toEqual([['area:2', 'c'], ['area:3', null]])
  })
})

describe('pulling', () => {
  it('goes on while there is more, and asks again what the limit cut off', async () => {
    const server = new FakeServer()
    server.allowed = ['area:1', 'area:2']
    server.pages = [
      [page([put('a', 1)], { has_more: true, cursor: '1' })],
      [page([put('b', 1)], { cursor: '2' }), page([put('c', 1)], { id: 'area:2' })],
    ]
    const phone = await makePhone(server)
    await phone.engine.sync()
    expect((await phone.store.rows('place')).length).toBe(3)
  })

  it('takes up what the office decided about a quarantined record', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const { id } = await phone.engine.write({ type: 'visit', author_id: crypto.randomUUID(), body: {} })
    server.refuse.add(id)
    await phone.engine.sync()
    const data = { status: 'accepted', errors: [] }
    server.pages = [[page([{ entity: 'record_status', id, op: 'put', rev: 1, data }])]]
    await phone.engine.sync()
    expect(await phone.store.count('stored')).toBe(1)
  })
})
