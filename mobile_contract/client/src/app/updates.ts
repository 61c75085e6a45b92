/** New versions are fetched in the background and taken up when the worker says so; drafts lie in the database meanwhile. */
import { state } from './phone'

let waiting: ServiceWorker | null = null

function noticed(worker: ServiceWorker | null): void {
  if (!worker || !navigator.serviceWorker.controller) return
  const ready = () => {
    if (worker.state !== 'installed') return
    waiting = worker
    state.updateReady = true
  }
  worker.addEventListener('statechange', ready)
  ready()
}

export function watchForUpdates(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  void navigator.serviceWorker.register('/m/sw.js', { scope: '/m/', updateViaCache: 'none' }).then((registration) => {
    noticed(registration.waiting)
    registration.addEventListener('updatefound', () => noticed(registration.installing))
  })
}

export function takeUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting?.postMessage('update')
}
