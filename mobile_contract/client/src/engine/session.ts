/** Calls with the worker's tokens, which are renewed when they have expired and never thrown away. */
import type { Reply, SyncPath, Transport } from './ports'

export interface Tokens {
  access_token: string
  refresh_token: string
}

export interface TokenStore {
  load(): Promise<Tokens | null>
  save(tokens: Tokens): Promise<void>
}

/** Somebody has to sign in again; nothing on the phone is lost. */
export class SignInNeeded extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

/** The office has revoked this phone: it may push, into quarantine, and nothing else. */
export class Revoked extends Error {}

/** The server is there but cannot serve now. */
export class Busy extends Error {
  constructor(
    readonly status: number,
    readonly retryAfter?: number,
  ) {
    super(`status ${status}`)
  }
}

const codeOf = (reply: Reply): string => (typeof reply.body?.code === 'string' ? reply.body.code : '')

export class Session {
  constructor(
    private readonly transport: Transport,
    private readonly tokens: TokenStore,
    private readonly installId: string,
  ) {}

  /**
   * A final answer: 200, 400, 403, 413, 422 or 426. Throws Unreachable, Busy (429, 5xx), SignInNeeded or Revoked.
   * `refresh: false` sends with the last access token even though it has expired: what a revoked phone may still do.
   */
  async call(path: SyncPath, body: unknown, compress = false): Promise<Reply> {
    const held = await this.tokens.load()
    if (!held) throw new SignInNeeded('not_signed_in')
    let reply = await this.transport.post(path, body, held.access_token, compress)
    if (reply.status === 401) {
      if (codeOf(reply) === 'device_revoked') throw new Revoked()
      const renewed = await this.renew(held)
      reply = await this.transport.post(path, body, renewed.access_token, compress)
      if (reply.status === 401) throw new SignInNeeded(codeOf(reply))
    }
    if (reply.status === 429 || reply.status >= 500) throw new Busy(reply.status, reply.retryAfter)
    return reply
  }

  async accessToken(): Promise<string> {
    const held = await this.tokens.load()
    if (!held) throw new SignInNeeded('not_signed_in')
    return held.access_token
  }

  /** For requests that do not go through `call`. */
  async renewNow(): Promise<void> {
    const held = await this.tokens.load()
    if (held) await this.renew(held)
  }

  private async renew(held: Tokens): Promise<Tokens> {
    // Another tab may have renewed meanwhile: its pair is as good as ours.
    const now = await this.tokens.load()
    if (now && now.access_token !== held.access_token) return now
    const body = { refresh_token: held.refresh_token, install_id: this.installId }
    const reply = await this.transport.post('/sync/v1/auth/refresh', body, null, false)
    if (reply.status === 200) {
      const tokens = { access_token: reply.body.access_token, refresh_token: reply.body.refresh_token }
      await this.tokens.save(tokens)
      return tokens
    }
    if (reply.status === 401 && codeOf(reply) === 'device_revoked') throw new Revoked()
    if (reply.status === 401) throw new SignInNeeded(codeOf(reply))
    throw new Busy(reply.status, reply.retryAfter)
  }
}
