/**
 * Opening the peer at an address.
 * @module
 */
import { Repository } from '../repo/repository.js'
import type { Peer } from './exchange.js'
import { repositoryChanged } from './listen.js'
import { LocalPeer } from './peer-local.js'
import { parsePeerUrl } from './peer-url.js'
import { syncContext } from './repository-context.js'

/** How to reach a peer. */
export interface PeerOptions {
  /** Directory that paths are relative to. */
  readonly from: string
  /** The user's config directory. */
  readonly home?: string | undefined
  readonly token?: string | undefined
  /** Program that reaches other machines, `ssh` by default. */
  readonly ssh?: string | undefined
  /** Milliseconds to wait for another process that has a repository open. */
  readonly wait?: number | undefined
}

/**
 * The peer at an address; nothing is opened or connected yet.
 *
 * @throws {CodedError} `REMOTE_BAD`, `REMOTE_NOT_FOUND`.
 */
export async function openPeer(text: string, options: PeerOptions): Promise<Peer> {
  const url = parsePeerUrl(text, options.from)
  const { home, wait } = options
  switch (url.kind) {
    case 'directory':
      return new LocalPeer(url.path, async () => syncContext(await Repository.open(url.path, { home, wait }), home), {
        changed: (signal) => repositoryChanged(url.path, signal),
      })
    case 'bundle': {
      const { BundlePeer } = await import('./bundle-peer.js')
      return new BundlePeer(url.path)
    }
    case 'http': {
      const { HttpPeer } = await import('./peer-http.js')
      return new HttpPeer(url.url, { token: options.token })
    }
    case 'ssh': {
      const { ProcessPeer } = await import('./peer-process.js')
      const port = url.port === undefined ? [] : ['-p', url.port]
      const command = `weft serve --stdio ${quoted(url.path)}`
      return new ProcessPeer(text, options.ssh ?? 'ssh', [...port, '--', url.host, command])
    }
  }
}

/** A path as the other machine's shell takes it for one word. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
