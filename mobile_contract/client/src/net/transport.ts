/** The engine's transport over fetch, typed by the server's own description. */
import createClient from 'openapi-fetch'
import { Unreachable, type Reply, type SyncPath, type Transport } from '../engine/ports'
import type { paths } from '../generated/openapi'

export const PROTOCOL = '1'
const COMPRESS_FROM = 4096

async function gzip(text: string): Promise<BodyInit> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(stream).arrayBuffer()
}

export function fetchTransport(baseUrl: string, timeoutMs = 60_000): Transport {
  const client = createClient<paths>({ baseUrl })
  return {
    async post(path: SyncPath, body: unknown, token: string | null, compress: boolean): Promise<Reply> {
      const text = JSON.stringify(body)
      const squeeze = compress && text.length > COMPRESS_FROM && typeof CompressionStream !== 'undefined'
      const headers: Record<string, string> = { 'X-Protocol': PROTOCOL, 'Content-Type': 'application/json' }
      if (token) headers['Authorization'] = `Bearer ${token}`
      if (squeeze) headers['Content-Encoding'] = 'gzip'
      const sent = squeeze ? await gzip(text) : text
      try {
        const { data, error, response } = await client.POST(path, {
          // The engine's bodies are built once and compressed here; the path alone is checked by the types.
          body: body as never,
          bodySerializer: () => sent,
          headers,
          signal: AbortSignal.timeout(timeoutMs),
        })
        const after = Number(response.headers.get('Retry-After') ?? NaN)
        return {
          status: response.status,
          body: data ?? error ?? null,
          ...(Number.isFinite(after) ? { retryAfter: after } : {}),
        }
      } catch (error) {
        throw new Unreachable(String(error))
      }
    },
  }
}
