/** Bringing one file by tus, from where the last attempt ended. */
import { DetailedError, Upload } from 'tus-js-client'
import { PROTOCOL } from './transport'

export interface FileToSend {
  id: string
  sha256: string
  mime: string
  kind: string
  url: string | null
}

export type FileFate =
  | { fate: 'stored' }
  /** For good; `code` says why. */
  | { fate: 'refused'; code: string }
  /** Announce it again. */
  | { fate: 'anew' }
  /** Later, from where it stands. */
  | { fate: 'later'; url: string | null; status: number }

const ENDPOINT = '/sync/v1/files'
/** Small enough that a cut on a bad network costs little; the server suits up to 1 MiB. */
const CHUNK = 256 * 1024
const FINAL = new Set([413, 415, 422])
const GONE = new Set([404, 410])

function judged(error: Error | DetailedError, url: string | null): FileFate {
  const response = 'originalResponse' in error ? error.originalResponse : null
  const status = response?.getStatus() ?? 0
  const code = codeOf(response?.getBody()) || response?.getHeader('Upload-Code') || String(status)
  if (FINAL.has(status)) return { fate: 'refused', code }
  if (status === 410 && response?.getHeader('Upload-Code')) return { fate: 'refused', code }
  if (GONE.has(status) && url) return { fate: 'anew' }
  const request = 'originalRequest' in error ? error.originalRequest : null
  const where = request && request.getURL() !== ENDPOINT && !request.getURL().endsWith(ENDPOINT) ? request.getURL() : url
  return { fate: 'later', url: where, status }
}

function codeOf(body: string | undefined): string {
  try {
    return String(JSON.parse(body ?? '').code ?? '')
  } catch {
    return ''
  }
}

export function sendFile(
  file: FileToSend,
  bytes: Uint8Array,
  token: string,
  community: string,
  progress: (sent: number, url: string | null) => void,
): Promise<FileFate> {
  return new Promise((done) => {
    const { id, sha256, mime, kind } = file
    let url = file.url
    const upload = new Upload(new Blob([bytes as BlobPart], { type: mime }), {
      endpoint: ENDPOINT,
      uploadUrl: file.url,
      chunkSize: CHUNK,
      metadata: { id, sha256, mime, kind },
      headers: { Authorization: `Bearer ${token}`, 'X-Community': community, 'X-Protocol': PROTOCOL },
      // The next round of sync is the retry: records go first each time.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => {
        url = upload.url
        progress(0, url)
      },
      onChunkComplete: (_, accepted) => progress(accepted, url),
      onSuccess: () => done({ fate: 'stored' }),
      onError: (error) => done(judged(error, url)),
    })
    upload.start()
  })
}
