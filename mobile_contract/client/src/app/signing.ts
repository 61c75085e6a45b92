/** Who works on this phone: the first sign-in online, the PIN from then on. */
import { sealerOf } from '../store/sealing'
import type { Worker } from '../store/device'
import { dataKeyOf, newDataKey, unwrapByPin, wrapByPin } from '../store/vault'
import type { Tokens } from '../engine/session'
import { arrival, device, enter, installId, isOpen, opened, state, syncNow, transport, type Arrival } from './phone'

export const MAX_PIN_FAILURES = 10

export type SignInAnswer = 'ok' | 'failed' | 'busy' | 'unreachable' | 'revoked' | 'no_community'

export async function signIn(username: string, password: string): Promise<SignInAnswer> {
  const body = { username, password, install_id: await installId(), device_name: deviceName() }
  let reply
  try {
    reply = await transport.post('/sync/v1/auth/login', body, null, false)
  } catch {
    return 'unreachable'
  }
  if (reply.status === 401) return reply.body?.code === 'device_revoked' ? 'revoked' : 'failed'
  if (reply.status !== 200) return 'busy'
  const { account_id, name, memberships, access_token, refresh_token } = reply.body
  if (!memberships.length) return 'no_community'
  arrival.value = { username, account_id, name, memberships, tokens: { access_token, refresh_token }, chosen: 0 }
  if (memberships.length > 1) state.phase = 'community'
  else await chooseCommunity(0)
  return 'ok'
}

export async function chooseCommunity(chosen: number): Promise<void> {
  const held = arrival.value!
  held.chosen = chosen
  const known = await device.workers.get(workerId(held))
  if (isOpen() && known && opened().worker.id === known.id) {
    await takeTokens(held.tokens)
    return
  }
  state.phase = known ? 'oldpin' : 'pin'
}

function workerId(held: Arrival): string {
  return `${held.account_id}/${held.memberships[held.chosen]!.community_id}`
}

function deviceName(): string {
  return navigator.userAgent.replace(/^Mozilla\/[\d.]+ /, '').slice(0, 80)
}

/** A new PIN: for a new worker a new data key, for one who forgot theirs the key that was recovered. */
export async function choosePin(pin: string, recovered?: Uint8Array): Promise<void> {
  const held = arrival.value!
  const membership = held.memberships[held.chosen]!
  const rawKey = recovered ?? newDataKey()
  const known = await device.workers.get(workerId(held))
  const worker: Worker = {
    id: workerId(held),
    account_id: held.account_id,
    username: held.username,
    name: held.name,
    community_id: membership.community_id,
    community_name: membership.community_name,
    role: membership.role,
    pin: await wrapByPin(rawKey, pin),
    escrow: known?.escrow ?? null,
    tokens: await sealerOf(await dataKeyOf(rawKey)).seal(held.tokens),
    pin_failures: 0,
  }
  await device.workers.put(worker)
  await enter(worker, rawKey)
}

/** Opens with the PIN; false when it is wrong. Works without any network. */
export async function unlock(id: string, pin: string): Promise<boolean> {
  const worker = await device.workers.get(id)
  if (!worker || worker.pin_failures >= MAX_PIN_FAILURES) return false
  const rawKey = await unwrapByPin(worker.pin, pin)
  const failures = rawKey ? 0 : worker.pin_failures + 1
  await device.workers.update(id, { pin_failures: failures })
  state.workers = await device.workers.toArray()
  if (!rawKey) return false
  const held = arrival.value
  if (held && workerId(held) === id) {
    worker.tokens = await sealerOf(await dataKeyOf(rawKey)).seal(held.tokens)
    worker.name = held.name
    await device.workers.update(id, { tokens: worker.tokens, name: held.name })
  }
  await enter(worker, rawKey)
  return true
}

export function pendingWorkerId(): string | null {
  return arrival.value && workerId(arrival.value)
}

async function takeTokens(tokens: Tokens): Promise<void> {
  const { worker, sealer } = opened()
  await device.workers.update(worker.id, { tokens: await sealer.seal(tokens) })
  arrival.value = null
  state.trouble = ''
  state.phase = 'open'
  void syncNow()
}
