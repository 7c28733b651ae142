/**
 * A work tree: the files beside a repository, and where they stand.
 *
 * Opening one finishes what an interrupted command left undone. Each command is a function of its own, in a file of its
 * name, that looks at the work tree and ends in one operation (operation.ts).
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Head } from '../repo/layout.js'
import type { Repository } from '../repo/repository.js'
import { WorkIndex } from './index-file.js'
import { type Finished, finishPending, type Operation, type Performed, perform } from './operation.js'
import { rebuildIndex } from './rebuild.js'
import { type Scan, type ScanOptions, scanWorkTree } from './scan.js'
import { readState, type WorkState } from './state.js'

export class Worktree {
  readonly repo: Repository
  /** An operation that had been interrupted and was finished when the work tree was opened. */
  readonly finished: Finished | undefined
  #index: WorkIndex
  #head: Head
  #state: WorkState

  private constructor(
    repo: Repository,
    finished: Finished | undefined,
    index: WorkIndex,
    head: Head,
    state: WorkState,
  ) {
    this.repo = repo
    this.finished = finished
    this.#index = index
    this.#head = head
    this.#state = state
  }

  /** The work tree of an open repository. */
  static async open(repo: Repository): Promise<Worktree> {
    const finished = await finishPending(repo)
    const head = await repo.head()
    return new Worktree(repo, finished, await loadIndex(repo, head), head, readState(repo.root))
  }

  get root(): string {
    return this.repo.root
  }

  get index(): WorkIndex {
    return this.#index
  }

  get head(): Head {
    return this.#head
  }

  get state(): WorkState {
    return this.#state
  }

  /** What differs from the version that the work tree stands on. */
  scan(options: ScanOptions = {}): Scan {
    const scan = scanWorkTree(this.root, this.#index, { hash: true, ...options })
    if (scan.stats.size > 0) this.#index = this.#index.withStats(scan.stats)
    return scan
  }

  /** Does an operation and goes on from what it left. */
  async perform(operation: Operation): Promise<Performed> {
    const performed = await perform({ repo: this.repo, index: this.#index }, operation)
    this.#index = performed.index
    this.#head = performed.record.head.after
    this.#state = performed.record.state.after
    return performed
  }

  /**
   * Refuses to go on while something is under way that a command would tear.
   *
   * @param doing - What is wanted, for the message: `switch`.
   * @throws {CodedError} `MERGE_UNDER_WAY`.
   */
  assertNothingUnderWay(doing: string): void {
    const { merge, pick } = this.#state
    if (merge === undefined && pick === undefined) return
    const what = merge === undefined ? `a ${pick?.kind}` : 'a merge'
    throw new CodedError(
      'MERGE_UNDER_WAY',
      `There is ${what} under way that has not been committed: ${doing} would tear it.`,
      {
        hint: 'Resolve what is left (`weft resolve --list`) and `weft commit`, or take it back with `weft undo`.',
      },
    )
  }
}

async function loadIndex(repo: Repository, head: Head): Promise<WorkIndex> {
  let index: WorkIndex | undefined
  try {
    index = WorkIndex.read(repo.root)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    // Damaged: it holds nothing that the store does not know.
  }
  const base = index?.base && toHex(index.base.id)
  if (index !== undefined && base === head.version) return index
  const rebuilt = await rebuildIndex(repo, head.version, undefined)
  // Where no files were ever written here, the missing index says so: an empty one would mean that there is no version.
  if (index === undefined && head.version === undefined) return rebuilt
  try {
    rebuilt.write(repo.root)
  } catch (error) {
    // Whoever wants it next makes it anew.
    if (!(error instanceof CodedError)) throw error
  }
  return rebuilt
}
