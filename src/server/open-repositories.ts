/**
 * The repositories that a server has open: opened when somebody asks for one, shared by all who do, and closed some time
 * after the last has gone, so that a folder with many of them takes no more memory than those in use.
 * @module
 */
import type { ServedRepository } from './served-repository.js'

/** How long repositories stay open, and how they are opened. */
export interface OpenRepositoriesOptions {
  /** Opens the repository at a path; `onChange` is to be called when programs come to use it, and go. */
  readonly open: (root: string, onChange: () => void) => Promise<ServedRepository>
  /** Milliseconds without use after which one is closed. */
  readonly idle: number
  /** Beyond so many open ones, those that nobody uses are closed at once, who was used last goes last. */
  readonly most: number
}

/** One of them. */
interface Held {
  readonly opening: Promise<ServedRepository>
  repository: ServedRepository | undefined
  users: number
  timer: NodeJS.Timeout | undefined
  closing: Promise<void> | undefined
}

export class OpenRepositories {
  readonly #options: OpenRepositoriesOptions
  /** By path; used last, last. */
  readonly #held = new Map<string, Held>()

  constructor(options: OpenRepositoriesOptions) {
    this.#options = options
  }

  /** How many are open, or about to be. */
  get size(): number {
    return this.#held.size
  }

  /**
   * Does something with the repository at `root`, which stays open meanwhile.
   *
   * @param root - Absolute, with links followed: one path for one repository.
   * @throws What opening throws, and what `work` does.
   */
  async use<T>(root: string, work: (repository: ServedRepository) => Promise<T>): Promise<T> {
    const held = await this.#hold(root)
    try {
      return await work(await held.opening)
    } finally {
      held.users--
      this.#tidy(root, held)
    }
  }

  /** Those who wait for something new go on with what there is. */
  wake(): void {
    for (const { repository } of this.#held.values()) repository?.wake()
  }

  /**
   * Closes all. Nobody may use one any more.
   *
   * @param grace - Milliseconds for other programs that use a store through here.
   */
  async close(grace?: number): Promise<void> {
    await Promise.all([...this.#held].map(([root, held]) => this.#close(root, held, grace)))
  }

  async #hold(root: string): Promise<Held> {
    for (let there = this.#held.get(root); there !== undefined; there = this.#held.get(root)) {
      const isFit = there.closing === undefined && !(there.repository?.isSpent === true && there.users === 0)
      if (!isFit) {
        await this.#close(root, there)
        continue
      }
      there.users++
      clearTimeout(there.timer)
      this.#held.delete(root)
      this.#held.set(root, there)
      return there
    }
    const opening = this.#options.open(root, () => this.#tidy(root, held))
    const held: Held = { opening, repository: undefined, users: 1, timer: undefined, closing: undefined }
    this.#held.set(root, held)
    opening.then(
      (repository) => {
        held.repository = repository
      },
      () => {
        // Nothing to close. The next one tries again.
        if (this.#held.get(root) === held) this.#held.delete(root)
      },
    )
    return held
  }

  /** Sees to it that one that nobody uses is closed in a while, or at once. */
  #tidy(root: string, held: Held): void {
    clearTimeout(held.timer)
    const { repository } = held
    if (repository === undefined || held.closing !== undefined || held.users > 0 || repository.connections > 0) return
    const atOnce = repository.isSpent || !repository.isOwn || this.#held.size > this.#options.most
    if (atOnce) void this.#close(root, held)
    else held.timer = setTimeout(() => void this.#close(root, held), this.#options.idle).unref()
  }

  #close(root: string, held: Held, grace?: number): Promise<void> {
    clearTimeout(held.timer)
    held.closing ??= (async () => {
      try {
        await (await held.opening).close(grace)
      } catch {
        // It never opened, or its store failed before: whoever asks for it next is told what is wrong.
      } finally {
        if (this.#held.get(root) === held) this.#held.delete(root)
      }
    })()
    return held.closing
  }
}
