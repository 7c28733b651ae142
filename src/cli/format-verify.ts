/**
 * The outcome of a verification in words.
 * @module
 */
import type { Damage, VerifyReport } from '../repo/results.js'
import { count, duration, shortId, size } from './format.js'
import type { Style } from './style.js'

/** Damages told one by one; what one lost page takes along may be thousands more. */
const SHOWN = 20

/** One line per damage, then what was looked at and the verdict. */
export function formatVerify(report: VerifyReport, style: Style): string {
  const { versions, entries, files, bytes, signatures, seconds, damage } = report
  const looked = [
    count(versions, 'version'),
    count(signatures, 'signature'),
    count(entries, 'entry', 'entries'),
    `${count(files, 'file version')} (${size(bytes)})`,
  ].join(', ')
  const verdict = report.ok
    ? style.green('Everything is as it was signed.')
    : style.red(`${count(damage.length, 'damage', 'damages')} found.`)
  const lines = damage.slice(0, SHOWN).map((d) => formatDamage(d, style))
  if (damage.length > SHOWN) {
    lines.push(`... and ${count(damage.length - SHOWN, 'more', 'more')}: weft verify --json names all.\n`)
  }
  return `${lines.join('')}Checked ${looked} in ${duration(seconds)}.\n${verdict}\n`
}

/** `kind: detail [version ..., path ..., key ...]`. */
function formatDamage({ kind, version, path, key, detail }: Damage, { red, safe }: Style): string {
  const where = [
    version === undefined ? '' : `version ${shortId(version)}`,
    path === undefined ? '' : `path ${safe(path)}`,
    key === undefined ? '' : `key ${safe(key)}`,
  ].filter((part) => part !== '')
  return `${red(kind)}: ${safe(detail)}${where.length > 0 ? ` [${where.join(', ')}]` : ''}\n`
}
