/** What belongs to the installation and not to one worker: its id, its counter, and who works on it. */
import Dexie, { type Table } from 'dexie'
import type { WrappedKey } from './vault'

export interface Membership {
  community_id: string
  community_name: string
  role: string
  place_id: string | null
}

/** One person in one community. Their name and log-in are what the sign-in screen must show before any PIN. */
export interface Worker {
  /** `account/community`; also names their database. */
  id: string
  account_id: string
  username: string
  name: string
  community_id: string
  community_name: string
  role: string
  pin: WrappedKey
  /** The data key once more, for the community's server to open when the PIN is forgotten; null until it could be made. */
  escrow: Uint8Array | null
  /** Tokens, sealed with the data key. */
  tokens: Uint8Array | null
  pin_failures: number
}

export class DeviceDb extends Dexie {
  workers!: Table<Worker, string>
  facts!: Table<{ key: string; value: unknown }, string>

  constructor(name = 'saolou-device') {
    super(name)
    this.version(1).stores({ workers: 'id', facts: 'key' })
  }

  async fact<T>(key: string): Promise<T | undefined> {
    return (await this.facts.get(key))?.value as T | undefined
  }

  /** The installation's id, made once. */
  installId(make: () => string): Promise<string> {
    return this.transaction('rw', this.facts, async () => {
      const held = await this.fact<string>('install_id')
      if (held) return held
      const made = make()
      await this.facts.put({ key: 'install_id', value: made })
      return made
    })
  }

  /** One counter for all workers of this phone. */
  takeSeq(): Promise<number> {
    return this.transaction('rw', this.facts, async () => {
      const next = ((await this.fact<number>('seq')) ?? 0) + 1
      await this.facts.put({ key: 'seq', value: next })
      return next
    })
  }
}
