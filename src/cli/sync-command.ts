/**
 * What `pull`, `push` and `sync` share: finding the remote, the exchange, and bringing the files along.
 * @module
 */
import * as Flags from '@oclif/core/flags'
import type { Tips } from '../history/published.js'
import type { Repository } from '../repo/repository.js'
import type { Direction } from '../sync/ask.js'
import type { Peer } from '../sync/exchange.js'
import type { PeerOptions } from '../sync/open-peer.js'
import type { Remote } from '../sync/remotes.js'
import { optional } from './arguments.js'
import { BaseCommand, LOCK_WAIT } from './command.js'
import { formatSync, type SyncAnswer } from './format-sync.js'

/** One exchange, and what both sides have after it. */
export interface Synced {
  readonly answer: SyncAnswer
  readonly tips: Tips
  /** The repository's id, 32 bytes. */
  readonly repository: Uint8Array
}

export const remoteArgs = {
  remote: optional('Name or address of the other side; by default origin, or the only remote there is'),
}

export const tokenFlag = Flags.string({
  helpValue: '<token>',
  summary: 'Token that a server wants to see; by default that of the remote, or of WEFT_TOKEN',
})

/** Base of the commands that exchange versions with a remote. */
export abstract class SyncCommand extends BaseCommand {
  /** One exchange, from finding the remote to telling what happened. */
  protected async exchange(direction: Direction, wanted: string | undefined, token: string | undefined): Promise<void> {
    await using repo = await this.openRepository()
    const { remoteFor } = await import('../sync/remotes.js')
    const remote = remoteFor(repo.root, wanted)
    await using peer = await this.peerFor(remote, repo.root, token)
    const { answer } = await this.once(repo, remote, peer, direction)
    await this.tell(answer)
  }

  protected async tell(answer: SyncAnswer): Promise<void> {
    await this.answer(answer, formatSync)
    if (answer.refused.length + answer.refusedThere.length > 0) this.exitDamaged()
  }

  protected async once(repo: Repository, { name }: Remote, peer: Peer, direction: Direction): Promise<Synced> {
    const [{ readRepositoryId }, { replicate }, { follow }] = await Promise.all([
      import('../history/genesis.js'),
      import('../sync/replicate.js'),
      import('../worktree/follow.js'),
    ])
    // What was interrupted is finished before anything comes.
    await this.openWorktree(repo)
    const { report, tips } = await replicate(repo, name, peer, direction, { home: this.home, ...this.progress })
    const repository = await readRepositoryId(repo.entries)
    return { answer: { ...report, files: await follow(await this.openWorktree(repo), direction) }, tips, repository }
  }

  protected async peerFor(remote: Remote, from: string, token: string | undefined): Promise<Peer> {
    return openRemote(remote.url, { from, home: this.home, token: token ?? remote.token })
  }
}

/** The peer at an address, as the environment says how to reach it. */
export async function openRemote(url: string, options: PeerOptions): Promise<Peer> {
  const { openPeer } = await import('../sync/open-peer.js')
  const { WEFT_TOKEN, WEFT_SSH } = process.env
  return openPeer(url, { wait: LOCK_WAIT, ssh: WEFT_SSH, ...options, token: options.token ?? WEFT_TOKEN })
}
