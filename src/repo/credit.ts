/**
 * The versions behind lines, as results name them.
 * @module
 */
import { toHex } from '../base/bytes.js'
import type { VersionBrief } from '../history/header.js'
import { Holders } from '../history/holders.js'
import type { Versions } from '../history/versions.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import { gitId } from './describe.js'

/** A version by its id, and the git commit it was made from. */
export interface Credit {
  readonly version: string
  readonly git?: string
}

export function creditOf(version: VersionBrief): Credit {
  const git = gitId(version)
  return { version: toHex(version.id), ...(git === undefined ? {} : { git }) }
}

/** Finds the versions that took lseqs, many at a time. */
export class Credits {
  readonly #versions: Versions
  #found = new Holders<VersionBrief>()
  readonly #credits = new Map<string, Credit>()

  constructor(versions: Versions) {
    this.#versions = versions
  }

  /** Looks up many lseqs in one pass; those of the call before are forgotten. */
  async find(lseqs: Iterable<Lseq>): Promise<void> {
    this.#found = await this.#versions.holdingBriefly(lseqs)
  }

  /** Whether a version that is here took one of the lseqs that were looked up last. */
  has(lseq: Lseq): boolean {
    return this.#found.get(lseq) !== undefined
  }

  /** @throws {CodedError} `VERSION_MISSING` for an lseq that no version took. */
  async version(lseq: Lseq): Promise<VersionBrief> {
    return this.#found.get(lseq) ?? this.#versions.expect(lseq)
  }

  /** @throws {CodedError} `VERSION_MISSING`. */
  async credit(lseq: Lseq): Promise<Credit> {
    const version = await this.version(lseq)
    const name = formatLseq(version.last, version.stream)
    const known = this.#credits.get(name)
    if (known !== undefined) return known
    const credit = creditOf(version)
    this.#credits.set(name, credit)
    return credit
  }
}
