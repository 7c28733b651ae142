/**
 * Snapshots in words.
 * @module
 */
import type { Snapshot } from '../repo/results.js'
import { columns, dateTime, shortId } from './format.js'
import type { Style } from './style.js'

/** One line per snapshot: when, which versions, name. */
export function formatSnapshots(snapshots: readonly Snapshot[], { safe }: Style): string {
  if (snapshots.length === 0) return 'There are no snapshots yet. Make one with weft snapshot create <name>.\n'
  return columns(snapshots.map((s) => [dateTime(s.time), s.versions.map(shortId).join(' '), safe(s.name)]))
}

/** One snapshot in full. */
export function formatSnapshot({ name, time, signer, versions, vector }: Snapshot, { bold, safe }: Style): string {
  return columns([
    ['Snapshot', bold(safe(name))],
    ['Made', dateTime(time)],
    ['Signer', signer],
    ...versions.map((version) => ['Version', version]),
    ['Vector', vector],
  ])
}
