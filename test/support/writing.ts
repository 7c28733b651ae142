/**
 * Writing versions without a work tree, as commands do: with the record of the streams that are begun.
 * @module
 */
import type { Writer } from '../../src/history/replica.js'
import type { Entry } from '../../src/lseq/batch.js'
import { openIdentity } from '../../src/repo/identity.js'
import { openReplica } from '../../src/repo/replica.js'
import type { Repository } from '../../src/repo/repository.js'
import { HOME } from './weft.js'

/** The person that all tests are done by, in a repository. */
export async function writerIn(repo: Repository): Promise<Writer> {
  const { signer } = await openIdentity(HOME)
  return { signer, replica: await openReplica(repo.entries, repo.root, signer.publicKey) }
}

/** Puts what that person made. */
export async function putMade(repo: Repository, added: readonly Entry[]): Promise<void> {
  const { replica } = await writerIn(repo)
  await repo.entries.put(added, { operations: replica.operations(added), fresh: true })
}
