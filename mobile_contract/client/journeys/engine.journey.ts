/** Forty records over a wire that is cut and that swallows answers; then what the phone believes is written down. */
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { webPlatform } from '../src/engine/platform'
import { uuid4 } from '../src/engine/ids'
import { fetchTransport } from '../src/net/transport'
import { makePhone, visit } from '../tests/phone'

const { JOURNEY_URL, JOURNEY_USERNAME, JOURNEY_PASSWORD, JOURNEY_COMMUNITY, JOURNEY_PLACE, JOURNEY_OUT } = process.env
const RECORDS = 40

it('drains to zero and believes what the server has', async () => {
  const transport = fetchTransport(JOURNEY_URL!, 10_000)
  const install_id = uuid4(webPlatform)
  const login = { username: JOURNEY_USERNAME, password: JOURNEY_PASSWORD, install_id, device_name: 'journey' }
  const { status, body } = await transport.post('/sync/v1/auth/login', login, null, false)
  expect(status).toBe(200)
  const phone = await makePhone(transport, { install_id, community_id: JOURNEY_COMMUNITY! }, body)
  for (let i = 0; i < RECORDS; i++) {
    if (i % 10 === 9) phone.reboot()
    await phone.engine.write({ ...visit(JOURNEY_PLACE!, `第 ${i} 次 \u{2000b}`), author_id: body.account_id })
    if (i % 8 === 7) await phone.engine.sync().catch(() => undefined)
  }
  for (let round = 0; round < 60 && (await phone.store.count('waiting')); round++) {
    await phone.engine.sync().catch(() => undefined)
  }
  expect(await phone.store.count('waiting')).toBe(0)
  await phone.engine.sync()
  const forms = await phone.store.rows('form')
  expect(forms.length).toBeGreaterThan(5)
  expect((await phone.store.rows('place')).some((row) => row.id === JOURNEY_PLACE)).toBe(true)
  const held = await phone.store.records('stored')
  writeFileSync(JOURNEY_OUT!, JSON.stringify(Object.fromEntries(held.map((record) => [record.id, record.sha256]))))
})
