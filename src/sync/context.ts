/**
 * What syncing needs of a repository.
 * @module
 */
import type { Replica } from '../history/replica.js'
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Lseq } from '../lseq/lseq.js'
import type { SignerPolicy } from '../repo/signer-policy.js'

/** A repository that takes part in an exchange. */
export interface SyncContext {
  readonly entries: EntryStore
  readonly versions: Versions
  /** This replica; undefined for a store that is nobody's, as in tests. */
  readonly replica?: Replica | undefined
  /** The branch that a clone is to begin with. */
  readonly branch?: string | undefined
  /** Whose versions are taken in; by default everybody's. */
  readonly maySign?: SignerPolicy | undefined
  /** Told of the keys of streams that came, whether they were let in or not. */
  seen?(publicKeys: readonly Uint8Array[]): void
  /**
   * Gives own streams that clash with others' another id, where that can be.
   *
   * @param limits - What has left this replica and cannot be changed any more; ids that are taken elsewhere.
   * @returns Whether it could.
   */
  renumber?(
    streams: readonly number[],
    limits: { readonly published: readonly Lseq[]; readonly avoid: readonly number[] },
  ): Promise<boolean>
  /** Told when versions have been let in. */
  accepted?(): Promise<void>
  /** Does something while nobody else writes into the repository. By default nobody else can. */
  exclusive?<T>(work: () => Promise<T>): Promise<T>
  /** Settles when something may have been written, or the time is over. */
  changed?(milliseconds: number): Promise<void>
}

/** Does something while nobody else writes. */
export function exclusively<T>(context: SyncContext, work: () => Promise<T>): Promise<T> {
  return context.exclusive === undefined ? work() : context.exclusive(work)
}
