/**
 * Who holds a store. LevelDB locks with `fcntl`, which tells nobody who the holder is; Linux writes it in
 * `/proc/locks`, elsewhere the answer is that it is not known.
 * @see proc_locks(5).
 * @module
 */
import { readFile, stat } from 'node:fs/promises'

/** Process id of the holder of the lock on the file `path`; `undefined` when it cannot be told. */
export async function lockHolder(path: string): Promise<number | undefined> {
  try {
    const [{ dev, ino }, locks] = await Promise.all([stat(path, { bigint: true }), readFile('/proc/locks', 'latin1')])
    // A line: 3: POSIX  ADVISORY  WRITE 4711 fd:01:1573942 0 EOF. The middle is major:minor:inode, hex, hex, decimal.
    const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)]
    const hex = (part: bigint) => part.toString(16).padStart(2, '0')
    const file = `${hex(major)}:${hex(minor)}:${ino}`
    const line = locks.split('\n').find((text) => text.split(/\s+/)[5] === file)
    const pid = Number(line?.split(/\s+/)[4])
    return pid > 0 ? pid : undefined
  } catch {
    // Not Linux, or no right to look: the message then does without.
    return undefined
  }
}
