import { describe, expect, it } from 'vitest'
import { MAX_RECORDS, takeBatch } from '../src/engine/push'
import { Revoked, SignInNeeded } from '../src/engine/session'
import { Unreachable } from '../src/engine/ports'
import { FakeServer, type Fault } from './fake_server'
import { makePhone, visit, type TestPhone } from './phone'

async function write(phone: TestPhone, count: number): Promise<string[]> {
  const ids = []
  for (let i = 0; i < count; i++) ids.push((await phone.engine.write(visit(undefined, `户 ${i}\u0000\ud800`))).id)
  return ids
}

/** Sync again and again, as the app does, until it goes through. */
async function drain(phone: TestPhone, rounds = 40): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    try {
      await phone.engine.sync()
    } catch (error) {
      if (error instanceof SignInNeeded || error instanceof Revoked) throw error
      continue
    }
    if ((await phone.store.count('waiting')) === 0) return
  }
}

describe('writing', () => {
  it('freezes text that hashes to what is named, without what would be refused', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const [id] = await write(phone, 1)
    await drain(phone)
    const payload = JSON.parse(server.held.get(id!)!.payload)
    expect(payload.visit.header.remark).toBe('户 0')
    expect(payload.seq).toBe(1)
    expect(server.quarantine.size).toBe(0)
  })

  it('survives the browser: nothing of it is kept in memory alone', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const ids = await write(phone, 3)
    phone.reboot()
    await drain(phone)
    expect([...server.held.keys()].sort()).toEqual(ids.sort())
  })

  it('seals what lies on the phone', async () => {
    const phone = await makePhone(new FakeServer())
    await phone.engine.write(visit(undefined, 'Geheim'))
    const row = (await phone.db.records.toArray())[0]!
    expect('payload' in row).toBe(false)
    expect(new TextDecoder('latin1').decode(row.sealed)).not.toContain('Geheim')
  })
})

describe('pushing', () => {
  const faults: Fault[][] = [
    ['unreachable', 'unreachable'],
    ['swallowed', 'swallowed', 'none'],
    ['busy', 'half', 'busy', 'half'],
    ['later', 'later'],
    ['unreadable', 'unreadable', 'swallowed'],
    ['too_large', 'too_large', 'half'],
    ['half', 'swallowed', 'busy', 'later', 'too_large', 'unreadable', 'half'],
  ]
  for (const row of faults) {
    it(`loses and doubles nothing: ${row.join(', ')}`, async () => {
      const server = new FakeServer()
      const phone = await makePhone(server)
      const ids = await write(phone, 25)
      server.faults = [...row]
      await drain(phone)
      expect(await phone.store.count('waiting')).toBe(0)
      expect([...server.held.keys()].sort()).toEqual(ids.sort())
      for (const record of await phone.store.records('stored')) {
        expect(server.held.get(record.id)!.payload).toBe(record.payload)
      }
    })
  }

  it('random walks of faults end with both sides equal', async () => {
    const kinds: Fault[] = ['none', 'unreachable', 'swallowed', 'busy', 'half', 'later', 'unreadable', 'too_large']
    let seed = 7
    const next = (limit: number) => (seed = (seed * 48271) % 2147483647) % limit
    for (let walk = 0; walk < 12; walk++) {
      const server = new FakeServer()
      const phone = await makePhone(server)
      const ids: string[] = []
      for (let step = 0; step < 6; step++) {
        ids.push(...(await write(phone, next(8))))
        server.faults = Array.from({ length: next(4) }, () => kinds[next(kinds.length)]!)
        if (next(3) === 0) phone.reboot()
        await phone.engine.sync().catch(() => undefined)
      }
      server.faults = []
      await drain(phone)
      expect([...server.held.keys()].sort()).toEqual(ids.sort())
    }
  })

  it('a 200 that names nothing empties nothing', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 1)
    const post = server.post.bind(server)
    server.post = async (path, body, token) => {
      const reply = await post(path, body, token)
      return path === '/sync/v1/push' ? { ...reply, body: { ...reply.body, results: [] } } : reply
    }
    await phone.engine.sync()
    expect(await phone.store.count('waiting')).toBe(1)
  })

  it('what the server quarantines leaves the outbox, stays on the phone and says why', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const [bad, good] = await write(phone, 2)
    server.refuse.add(bad!)
    await drain(phone)
    expect(server.held.has(good!)).toBe(true)
    const [row] = await phone.store.records('quarantined')
    expect(row!.id).toBe(bad)
    expect(row!.errors![0]!.code).toBe('hash_mismatch')
  })

  it('one record the server cannot read is set aside, and blocks no other', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const [bad, ...good] = await write(phone, 3)
    const post = server.post.bind(server)
    server.post = async (path, body, token) => {
      const has = path === '/sync/v1/push' && body.records.some((record: any) => record.id === bad)
      return has ? { status: 422, body: { code: 'envelope_invalid' } } : post(path, body, token)
    }
    await drain(phone, 2)
    expect([...server.held.keys()].sort()).toEqual(good.sort())
    expect((await phone.store.records('waiting'))[0]!.stuck).toBe('envelope_invalid')
  })

  it('takes no more than the limits', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 12)
    const waiting = await phone.store.waiting(MAX_RECORDS, new Set())
    expect(takeBatch(waiting, 5, 1e9).length).toBe(5)
    expect(takeBatch(waiting, 500, 1).length).toBe(1)
  })
})

describe('signing in', () => {
  it('renews an expired token and goes on', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 2)
    server.access = 'a2'
    await drain(phone)
    expect([server.refreshes, server.held.size]).toEqual([1, 2])
  })

  it('a dead log-in loses nothing', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server, {}, { access_token: 'old', refresh_token: 'dead' })
    await write(phone, 2)
    await expect(phone.engine.sync()).rejects.toThrow(SignInNeeded)
    expect(await phone.store.count('waiting')).toBe(2)
    phone.tokens.now = { access_token: 'a1', refresh_token: 'r1' }
    await drain(phone)
    expect(server.held.size).toBe(2)
  })

  it('a revoked phone still delivers, into quarantine', async () => {
    const server = new FakeServer()
    server.revoked = true
    const phone = await makePhone(server)
    await write(phone, 2)
    expect((await phone.engine.sync()).revoked).toBe(true)
    expect([server.quarantine.size, await phone.store.count('waiting')]).toEqual([2, 0])
  })
})

describe('time', () => {
  it('all records of a boot carry its first anchor, also those made before it', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 1)
    await phone.engine.sync()
    phone.clock.monotonic += 60_000
    phone.clock.wall += 60_000
    await write(phone, 1)
    await phone.engine.sync()
    const anchors = [...server.held.values()].map((record) => JSON.stringify(record.anchors[0]))
    expect(new Set(anchors).size).toBe(1)
    expect(JSON.parse(anchors[0]!).boot_id).toBe(JSON.parse([...server.held.values()][0]!.payload).time.boot_id)
  })

  it('setting the wall clock begins a new boot; the old one keeps its anchor', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 1)
    await phone.engine.sync()
    phone.clock.wall -= 10 * 365 * 86_400_000
    await write(phone, 1)
    await phone.engine.sync()
    const rows = [...server.held.values()]
    const boots = rows.map((row) => JSON.parse(row.payload).time.boot_id)
    expect(boots[0]).not.toBe(boots[1])
    expect(rows.map((row) => (row.anchors[0] as any).boot_id)).toEqual(boots)
  })

  it('a boot that never met the server is sent with the last anchor known when the record was made', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await phone.engine.sync()
    const first = (await phone.store.anchors()).last
    phone.reboot()
    await write(phone, 1)
    phone.reboot()
    await phone.engine.sync()
    expect([...server.held.values()][0]!.anchors[0]).toEqual(first)
  })
})

describe('keeping', () => {
  it('another server is offered what it lacks', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    const ids = await write(phone, 3)
    await drain(phone)
    server.held.delete(ids[1]!)
    server.epoch = 'e2'
    await drain(phone)
    expect([...server.held.keys()].sort()).toEqual(ids.sort())
  })

  it('what a restore-tested backup holds may go, nothing else', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 1)
    await drain(phone)
    server.safe = server.now + 10
    await write(phone, 1)
    await drain(phone)
    expect(await phone.store.count('stored')).toBe(1)
  })

  it('does not call it done when the server is away', async () => {
    const server = new FakeServer()
    const phone = await makePhone(server)
    await write(phone, 1)
    server.faults = ['unreachable']
    await expect(phone.engine.sync()).rejects.toThrow(Unreachable)
    expect(await phone.store.meta('last_success_ms')).toBeUndefined()
  })
})
