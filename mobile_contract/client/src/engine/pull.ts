/** Pulling the feed, scope by scope, page by page; a page and its cursor are kept together. */
import type { Clock } from './platform'
import type { ScopePage, Store } from './ports'
import { SCHEMA_VERSION } from './records'
import { Busy, type Session } from './session'
import type { Head } from './push'

export const PULL_LIMIT = 500

export interface PullReport {
  pages: number
  changed: boolean
}

export class Puller {
  constructor(
    private readonly store: Store,
    private readonly session: Session,
    private readonly clock: Clock,
    private readonly head: Head,
    private readonly heard: (answer: any) => Promise<void>,
  ) {}

  async run(progress: () => void = () => undefined): Promise<PullReport> {
    const report: PullReport = { pages: 0, changed: false }
    await this.store.allowScopes((await this.ask([])).allowed_scopes)
    let open = [...(await this.store.cursors()).keys()].sort()
    while (open.length) {
      const cursors = await this.store.cursors()
      const asked = open.filter((id) => cursors.has(id)).map((id) => ({ id, cursor: cursors.get(id) ?? null }))
      if (!asked.length) break
      const answer = await this.ask(asked)
      const pages: ScopePage[] = answer.scopes
      for (const page of pages) {
        await this.store.applyPage(page)
        report.changed ||= page.reset || page.changes.length > 0
      }
      report.pages += 1
      await this.store.allowScopes(answer.allowed_scopes)
      const answered = new Set(pages.map((page) => page.id))
      const more = pages.filter((page) => page.has_more).map((page) => page.id)
      // The limit counts rows over all scopes: those that were not reached are asked again, as long as any answers.
      open = answered.size ? [...more, ...open.filter((id) => !answered.has(id))] : []
      progress()
    }
    await this.applyStatuses()
    return report
  }

  /** What became of quarantined records, as the office decided. */
  private async applyStatuses(): Promise<void> {
    for (const row of await this.store.rows('record_status')) {
      const record = await this.store.record(row.id)
      if (!record) continue
      const status = row.data.status
      if (status === 'accepted' && record.state === 'quarantined') {
        await this.store.settle([{ id: row.id, state: 'stored', errors: [] }])
      } else if (status === 'requeue' && record.state === 'quarantined') {
        await this.store.settle([{ id: row.id, state: 'waiting', stuck: null }])
      }
    }
  }

  private async ask(scopes: { id: string; cursor: string | null }[]): Promise<any> {
    const { install_id, community_id } = this.head
    const body = {
      install_id,
      community_id,
      schema_version: SCHEMA_VERSION,
      server_epoch: (await this.store.meta<string>('server_epoch')) ?? null,
      limit: PULL_LIMIT,
      scopes,
      clock: this.clock.read(),
    }
    const reply = await this.session.call('/sync/v1/pull', body)
    if (reply.status !== 200) throw new Busy(reply.status)
    await this.heard(reply.body)
    return reply.body
  }
}
