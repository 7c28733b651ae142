/**
 * A second process with a store, for tests of what one process cannot show by itself:
 * `node --import tsx test/suites/level-child.ts <what> <directory> [numbers]`.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromLatin1 } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { EntryStore } from '../../src/lseq/entries.js'
import { openLevelStore } from '../../src/lseq/level.js'
import type { Operation } from '../../src/lseq/store.js'
import { crashEntries, crashOptions } from './crash.js'

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const codeOf = (error: unknown): string =>
  error instanceof CodedError ? error.code : `RAW ${error instanceof Error ? error.stack : error}`

/** Keeps the store open until it is told to stop, by a line or by the end of its input. */
async function hold(directory: string): Promise<void> {
  const store = await openLevelStore(directory)
  say('held')
  await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve))
  await store.close()
}

/** Opens, and says what came of it. */
async function open(directory: string): Promise<void> {
  try {
    await (await openLevelStore(directory)).close()
    say('opened')
  } catch (error) {
    say(codeOf(error))
  }
}

/** Writes until the disk is full; then again after a file has been taken away; then opens anew and looks. */
async function fill(directory: string): Promise<void> {
  const ballast = join(directory, '..', 'ballast')
  writeFileSync(ballast, new Uint8Array(1_800_000))
  const store = await openLevelStore(directory)
  let written = 0
  const write = (n: number): Promise<void> =>
    store.batch([{ type: 'put', key: fromLatin1(String(n).padStart(6, '0')), value: randomBytes(5000) }], {
      sync: true,
    })
  try {
    for (;;) {
      await write(written)
      written++
    }
  } catch (error) {
    say(codeOf(error))
  }
  rmSync(ballast)
  await write(written + 1).then(
    () => say('written'),
    (error) => say(codeOf(error)),
  )
  await store.close()
  const again = await openLevelStore(directory)
  let found = 0
  for await (const keys of again.keys()) found += keys.length
  say(found === written ? 'all there' : `${found} of ${written} there`)
  await again.close()
}

/** Harms a copy of a store in one place and uses it, once for each seed in `[from, to)`. */
async function harm(base: string, from: number, to: number): Promise<void> {
  for (let seed = from; seed < to; seed++) {
    let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    random(1)
    const directory = `${base}-${seed}`
    cpSync(base, directory, { recursive: true })
    const names = readdirSync(directory).filter((name) => !name.startsWith('LO'))
    const path = join(directory, names[random(names.length)] as string)
    const bytes = readFileSync(path)
    const how = ['flip', 'flip', 'flip', 'flip', 'cut', 'noise'][random(6)]
    const at = random(2) === 0 ? random(bytes.length) : Math.max(0, bytes.length - 1 - random(300))
    if (how === 'cut') truncateSync(path, at)
    else {
      for (let i = at; i < Math.min(bytes.length, at + (how === 'flip' ? 1 : 20)); i++) {
        bytes[i] = how === 'flip' ? (bytes[i] as number) ^ (1 << random(8)) : random(256)
      }
      writeFileSync(path, bytes)
    }
    // Said before, so that the parent knows what was going on if the process ends here.
    process.stdout.write(`${seed} ${path.slice(base.length)} ${how} at ${at} of ${bytes.length}: `)
    await use(directory).then(
      () => say('readable'),
      (error) => say(codeOf(error)),
    )
    rmSync(directory, { recursive: true })
  }
}

async function use(directory: string): Promise<void> {
  await using store = await openLevelStore(directory)
  for await (const batch of store.scan({ batchBytes: 1 << 16 })) await store.get(batch[0]?.[0] ?? new Uint8Array(0))
  for await (const _ of store.scan({ reverse: true }));
  const mark: Operation = { type: 'put', key: fromLatin1('zz'), value: fromLatin1('1') }
  await store.batch([mark], { sync: true })
  await store.compact()
}

/** Bulk writes, puts and folds without end, saying after each how far it got. */
async function write(directory: string, seed: number): Promise<void> {
  const entries = new EntryStore(await openLevelStore(directory), crashOptions)
  for (let round = 0; ; round++) {
    const given = crashEntries(seed, round)
    if (round % 3 === 0) await entries.put(given)
    else {
      await entries.bulk(async (writer) => {
        for (const { key, value } of given) await writer.add(key, value)
        return [{ type: 'put', key: fromLatin1(`m${round}`), value: fromLatin1('done') }]
      })
    }
    if (round % 4 === 3) await entries.fold()
    say(String(round))
  }
}

const [what, directory = '', first = '0', second = '0'] = process.argv.slice(2)
if (what === 'hold') await hold(directory)
else if (what === 'open') await open(directory)
else if (what === 'fill') await fill(directory)
else if (what === 'harm') await harm(directory, Number(first), Number(second))
else if (what === 'write') await write(directory, Number(first))
else throw new RangeError(`what: expected hold, open, fill, harm or write, got ${what}`)
