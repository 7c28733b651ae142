/**
 * Modes: what kind of thing a path is, by its type and permission bits.
 * @module
 */
import type { FileKind } from './results.js'

/** @param mode - As git and stat(2) have it. Odd historic modes are files. */
export function kindOf(mode: number): FileKind {
  switch (mode & 0o170000) {
    case 0o120000:
      return 'symlink'
    case 0o160000:
      return 'submodule'
    default:
      return (mode & 0o100) === 0 ? 'file' : 'executable'
  }
}

/** A mode as git writes it today, six octal digits: what old trees say beyond the executable bit is not shown. */
export function formatMode(mode: number): string {
  return MODES[kindOf(mode)]
}

const MODES: Readonly<Record<FileKind, string>> = {
  executable: '100755',
  file: '100644',
  submodule: '160000',
  symlink: '120000',
}
