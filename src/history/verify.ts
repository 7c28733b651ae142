/**
 * Verification: everything recomputed from the entries alone, and every damage named.
 *
 * In this order, each step standing on the one before:
 *
 * 1. geneses and versions: canonical form, place, signature, chain, parents, clock (`verify-versions.ts`)
 * 2. groups: every entry's leaf, every group's digest, every version's changes root (`verify-groups.ts`)
 * 3. contents: every file version rebuilt and compared with its SHA-256 (`verify-contents.ts`)
 * 4. trees: the tree of every version and its root (`verify-contents.ts`)
 *
 * No index is read except to notice that its page is damaged. With `quick`, step 1 is done without signatures but for
 * the tips of streams, and nothing else.
 * @module
 */
import type { EntryStore } from '../lseq/entries.js'
import { Findings, type Damage } from './findings.js'
import { verifyContents } from './verify-contents.js'
import { verifyGroups } from './verify-groups.js'
import { verifyVersions } from './verify-versions.js'

/** How much to verify, and whom to tell. */
export interface VerifyOptions {
  readonly quick?: boolean | undefined
  readonly progress?: ((phase: string, done: number, total: number) => void) | undefined
}

/** What was verified and what is damaged. */
export interface Verified {
  readonly ok: boolean
  readonly versions: number
  readonly entries: number
  readonly files: number
  readonly bytes: number
  readonly signatures: number
  readonly seconds: number
  readonly damage: readonly Damage[]
}

/** Verifies a store's entries. Damage is reported, not thrown. */
export async function verifyEntries(entries: EntryStore, options: VerifyOptions = {}): Promise<Verified> {
  const started = performance.now()
  const findings = new Findings()
  const progress = options.progress ?? (() => undefined)
  const checked = await verifyVersions(entries, findings, options.quick === true, progress)
  let files = 0
  let bytes = 0
  if (options.quick !== true) {
    await verifyGroups(entries, checked, findings, progress)
    const contents = await verifyContents(entries, checked, findings, progress)
    files = contents.files
    bytes = contents.bytes
  }
  return {
    ok: findings.damage.length === 0,
    versions: checked.graph.size,
    entries: findings.entries,
    files,
    bytes,
    signatures: checked.signatures,
    seconds: (performance.now() - started) / 1000,
    damage: findings.damage,
  }
}
