/** The community's hand on the data keys of this phone: giving it one, and asking for one back. */
import { bytesOf, hexOf } from '../engine/ids'
import { Session } from '../engine/session'
import { SyncEngine } from '../engine/sync'
import type { Worker } from '../store/device'
import { DexieStore } from '../store/dexie_store'
import { wrapForCommunity } from '../store/escrow'
import { sealerOf } from '../store/sealing'
import { dataKeyOf } from '../store/vault'
import { WorkerDb } from '../store/worker_db'
import { arrival, device, engineParts, installId, opened, transport } from './phone'

/** Give the community the key of whoever is signed in, once. */
export async function depositKey(): Promise<void> {
  const { worker, engine, rawKey } = opened()
  if ((await device.workers.get(worker.id))?.escrow) return
  const body = { install_id: await installId(), community_id: worker.community_id }
  const reply = await engine.session.call('/sync/v1/data-key/public', body)
  if (reply.status !== 200) return
  const point = bytesOf(String(reply.body.public_key))
  const escrow = await wrapForCommunity(point, rawKey, worker.community_id, worker.account_id)
  await device.workers.update(worker.id, { escrow })
}

async function opening(session: Session, worker: Worker): Promise<Uint8Array | null> {
  if (!worker.escrow) return null
  const body = {
    install_id: await installId(),
    community_id: worker.community_id,
    account_id: worker.account_id,
    wrapped: hexOf(worker.escrow),
  }
  const reply = await session.call('/sync/v1/data-key/open', body)
  return reply.status === 200 ? bytesOf(String(reply.body.data_key)) : null
}

/** After signing in with the password: the key that the forgotten PIN no longer opens. */
export async function recoverKey(worker: Worker): Promise<Uint8Array | null> {
  const held = arrival.value
  if (!held) return null
  const tokens = { load: async () => held.tokens, save: async (fresh: typeof held.tokens) => void (held.tokens = fresh) }
  return opening(new Session(transport, tokens, await installId()), worker)
}

/** Send what another worker of this phone left waiting. Their key is used and forgotten again. */
export async function deliverFor(worker: Worker): Promise<number> {
  const raw = await opening(opened().engine.session, worker)
  if (!raw) return 0
  const db = new WorkerDb(worker.id)
  try {
    const store = new DexieStore(db, device, sealerOf(await dataKeyOf(raw)))
    const engine = new SyncEngine({ store, ...(await engineParts(opened().worker)) })
    const report = await engine.deliver()
    return report.stored + report.quarantined
  } finally {
    db.close()
  }
}
