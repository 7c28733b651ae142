/**
 * A repository as syncing needs it: who it is, whom it trusts, and what is to be noted when something has come.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { readConfig } from '../repo/config.js'
import { noteHeads } from '../repo/heads-note.js'
import { knownPublicKey } from '../repo/identity.js'
import { renumberStreams } from '../repo/renumber.js'
import { openReplica } from '../repo/replica.js'
import type { Repository } from '../repo/repository.js'
import { signerPolicy } from '../repo/signer-policy.js'
import { type KnownSigner, readSigners, rememberSigners } from '../repo/signers.js'
import type { SyncContext } from './context.js'

/** A repository in exchanges. Disposing of it closes the repository. */
export interface RepositoryContext extends SyncContext, AsyncDisposable {
  /** Keys that were met for the first time. */
  readonly met: readonly KnownSigner[]
}

/**
 * @param home - The user's config directory: whose key it is that is trusted without being told, and their settings.
 * @throws {CodedError} `SIGNERS_DAMAGED`, `CONFIG_BAD`, `KEY_*`.
 */
export async function syncContext(repo: Repository, home: string | undefined): Promise<RepositoryContext> {
  const { root } = repo
  const own = home === undefined ? undefined : await knownPublicKey(home)
  const rule = readConfig(root, home).get('sync.signers')
  const met: KnownSigner[] = []
  return {
    entries: repo.entries,
    versions: repo.versions,
    replica: await openReplica(repo.entries, root, own),
    branch: (await repo.head()).branch,
    maySign: signerPolicy({ signers: readSigners(root), rule, own }),
    met,
    seen: (keys) => {
      const others = keys.filter((key) => own === undefined || !equalBytes(key, own))
      if (others.length > 0) met.push(...rememberSigners(root, others))
    },
    renumber: async (streams, { published, avoid }) => {
      const writer = await repo.writer()
      if (!streams.every((stream) => writer.replica.own.has(stream))) return false
      try {
        await renumberStreams(repo.entries, { writer, streams, published, avoid })
        return true
      } catch (error) {
        // Somebody may have seen what stands upon them: the other side's are refused then.
        if (error instanceof CodedError && error.code === 'STREAM_CLASH') return false
        throw error
      }
    },
    accepted: async () => void (await noteHeads(repo)),
    [Symbol.asyncDispose]: () => repo[Symbol.asyncDispose](),
  }
}
