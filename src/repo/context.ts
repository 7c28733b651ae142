/**
 * What the larger questions need of a repository; `Repository` is one.
 *
 * A type of its own, so that the modules that answer those questions do not import the module that asks them.
 * @module
 */
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import type { State } from './resolve.js'

/** A repository, open. */
export interface RepositoryContext {
  /** The directory that holds `.weft`. */
  readonly root: string
  readonly entries: EntryStore
  readonly versions: Versions
  /**
   * The state that a version, branch, tag, snapshot, id, time or vector names; by default the current branch.
   *
   * @throws {CodedError} `V_UNKNOWN`, `V_AMBIGUOUS`.
   */
  resolve(text?: string): Promise<State>
}
