/**
 * The conversation of replicas, as a server holds it: the answering side of `sync/README.md`, on a repository that is shared
 * with others.
 * @module
 */
import { knownPublicKey } from '../repo/identity.js'
import { openReplica } from '../repo/replica.js'
import { answer } from '../sync/answer.js'
import { syncContext } from '../sync/repository-context.js'
import type { Conversation } from './conversation.js'

/** @param home - The user's config directory: whose signers are trusted, and their settings. */
export function syncConversation(home: string): Conversation {
  return async (served, exchange, permission) => {
    const { repository } = served
    const context = await syncContext(repository, home)
    const shared = {
      ...context,
      exclusive: <T>(work: () => Promise<T>): Promise<T> =>
        served.exclusive(async () => {
          // A command of this machine may have begun streams of its own since.
          shared.replica = await openReplica(repository.entries, repository.root, await knownPublicKey(home))
          return work()
        }),
      changed: (milliseconds: number): Promise<void> => served.changed(milliseconds),
    }
    await answer(shared, exchange, permission)
  }
}
