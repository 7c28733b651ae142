/**
 * A repository as syncing needs it: who it is, whom it trusts, and what is to be noted when something has come.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { readConfig } from '../repo/config.js'
import { noteHeads } from '../repo/heads-note.js'
import { knownPublicKey } from '../repo/identity.js'
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
    accepted: async () => void (await noteHeads(repo)),
    [Symbol.asyncDispose]: () => repo[Symbol.asyncDispose](),
  }
}
