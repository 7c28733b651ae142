/**
 * Lists: how fast they are, and beside Yjs, Automerge and Loro on the same machine and the same edits.
 *
 *     npm ci --prefix test/bench/peers                          once; peers that are not installed are skipped
 *     npm run bench:rdx                                         edits made up with a seed
 *     node --import tsx test/bench/rdx-list.ts trace.json.gz    a trace of github.com/josephg/editing-traces
 *
 * The three peers are live documents with an index from places to characters, so they apply an edit at a time. A list of
 * weft is bytes: the edits become patches, each as if somebody had sent it, and one merge applies them all. `one by one`
 * tells what the alternative costs. The text must come out the same for all.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { encodeUtf8 } from '../../src/base/bytes.js'
import { writeElement } from '../../src/rdx/element.js'
import { L } from '../../src/rdx/list.js'
import { encodeStamp } from '../../src/rdx/stamp.js'
import { encodeTiny, TlvWriter } from '../../src/rdx/tlv.js'
import { zipUint } from '../../src/rdx/zip.js'
import { median } from './measure.js'

/** At a place: characters to delete, and text to insert. */
type Edit = readonly [place: number, deleted: number, inserted: string]

interface Trace {
  readonly name: string
  readonly edits: readonly Edit[]
  readonly end: string
}

/** Milliseconds that `work` takes, and what it gives. */
function timed<T>(work: () => T): [milliseconds: number, result: T] {
  const began = performance.now()
  const result = work()
  return [performance.now() - began, result]
}

/** Median of a few runs, in milliseconds. */
const typical = (work: () => unknown, runs = 5): number => median(Array.from({ length: runs }, () => timed(work)[0]))

function line(name: string, ...cells: readonly string[]): void {
  console.log([name.padEnd(48), ...cells.map((cell) => cell.padStart(12))].join('  ').trimEnd())
}

const ms = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`
const rate = (bytes: number, milliseconds: number): string => `${(bytes / 1e3 / milliseconds).toFixed(1)} MB/s`

/** Chance with a seed: Mulberry32, by Tommy Ettinger. */
function chance(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** Merging, text and deltas of lists of 100,000 integers. */
export function benchLists(): void {
  const COUNT = 100_000
  const PATCHES = 1000
  const below = chance(5)
  const base = L.tlv(Array.from({ length: COUNT }, (_, i) => BigInt(i)))
  const patches = Array.from({ length: PATCHES }, (_, i) =>
    L.parse(`["p${i}"{${COUNT + 1 + i},${1 + (i % 8)}}<{${1 + below(COUNT)},0}]`),
  )
  const merged = L.merge([base, ...patches])
  const natives = L.plain(merged) ?? []
  const text = L.string(merged) ?? ''
  console.log(`\nlists of ${COUNT} elements, ${merged.length} bytes\n`)
  line(`merge ${PATCHES} patches of one element`, ms(typical(() => L.merge([base, ...patches]))), 'limit 1 s')
  let state = base
  const some = patches.slice(0, 20)
  const [oneByOne] = timed(() => {
    for (const patch of some) state = L.merge([state, patch])
  })
  line('the same one by one, each', ms(oneByOne / some.length))
  line('merge with another state of it', ms(typical(() => L.merge([base, merged]))))
  line('check', ms(typical(() => L.check(merged))))
  line('read', ms(typical(() => L.plain(merged))))
  const [printing, parsing] = [typical(() => L.string(merged)), typical(() => L.parse(text))]
  line('bytes to text', ms(printing), rate(text.length, printing))
  line('text to bytes', ms(parsing), rate(text.length, parsing))
  const wanted = natives.toSpliced(COUNT / 2, 100).toSpliced(100, 0, 'new', 'new')
  line('delta of 102 elements', ms(typical(() => L.delta(merged, wanted))))
  const vector = L.vector(base)
  line(`diff that finds ${PATCHES} elements`, ms(typical(() => L.diff(merged, vector))))
}

function readTrace(path: string): Trace {
  const json = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as {
    startContent: string
    endContent: string
    txns: { patches: [number, number, string][] }[]
  }
  const start: Edit[] = json.startContent === '' ? [] : [[0, 0, json.startContent]]
  return {
    name: basename(path),
    edits: [...start, ...json.txns.flatMap(({ patches }) => patches)],
    end: json.endContent,
  }
}

/** 250,000 edits as by somebody who types, corrects the last word, and goes elsewhere now and then. */
function madeUpTrace(): Trace {
  const below = chance(250_000)
  const text: string[] = []
  const edits: Edit[] = []
  let cursor = 0
  while (edits.length < 250_000) {
    if (below(40) === 0) cursor = below(text.length + 1)
    if (below(4) === 0 && cursor > 0) {
      text.splice(--cursor, 1)
      edits.push([cursor, 1, ''])
    } else {
      const letter = 'etaoin shrdlu\n'[below(14)] as string
      edits.push([cursor, 0, letter])
      text.splice(cursor++, 0, letter)
    }
  }
  return { name: 'made up, seed 250000', edits, end: text.join('') }
}

/** One contestant's figures. */
interface Result {
  readonly apply: number
  readonly bytes: number
  readonly load: number
}

interface Contestant {
  readonly name: string
  /** Applies the edits; answers the document as bytes. */
  apply(edits: readonly Edit[]): Uint8Array
  /** Reads those bytes; answers the text. */
  load(bytes: Uint8Array): string
}

/** Patches of one edit each, as an editor would send them that knows the ids of the characters it shows. */
function patchesOf(edits: readonly Edit[]): Uint8Array[] {
  const SRC = 1n
  const NOTHING = new Uint8Array(0)
  const writer = new TlvWriter()
  // The revisions of the characters before the cursor, and behind it in reverse: moving is cheap, as in editors.
  const before: number[] = []
  const behind: number[] = []
  const stamp = (rev: number): Uint8Array => encodeTiny('T', encodeStamp({ rev: BigInt(rev), src: SRC }))
  let rev = 0
  return edits.map(([place, deleted, inserted]) => {
    while (before.length > place) behind.push(before.pop() as number)
    while (before.length < place) before.push(behind.pop() as number)
    const gone: [rev: number, target: number][] = []
    for (let i = 0; i < deleted; i++) gone.push([++rev, behind.pop() as number])
    gone.sort((a, b) => a[1] - b[1])
    const after = before.at(-1)
    const characters = [...inserted]
    // One author: the elements adrift are sorted by revision, so what is deleted comes before what is inserted. What is
    // inserted at the start of the list is not adrift, so it comes first.
    const links = (): void => {
      for (const [, target] of gone) writer.raw(encodeTiny('U', zipUint(3))).raw(stamp(target))
    }
    const tombstones = (): void => {
      for (const [at] of gone) writeElement(writer, 'T', { rev: BigInt(-at), src: SRC }, NOTHING)
    }
    writer.reset()
    if (gone.length > 0 || (after !== undefined && characters.length > 0)) {
      writer.begin('A')
      if (after === undefined && gone.length > 0) {
        const [first, ...rest] = gone as [[number, number], ...[number, number][]]
        writer.raw(encodeTiny('U', zipUint(4 * characters.length + 3))).raw(stamp(first[1]))
        for (const [, target] of rest) writer.raw(encodeTiny('U', zipUint(3))).raw(stamp(target))
      } else links()
      if (after !== undefined && characters.length > 0) writer.raw(encodeTiny('U', zipUint(0))).raw(stamp(after))
      writer.end()
    }
    if (after !== undefined) tombstones()
    for (const character of characters) {
      before.push(++rev)
      writeElement(writer, 'S', { rev: BigInt(rev), src: SRC }, encodeUtf8(character))
    }
    if (after === undefined) tombstones()
    return writer.copy()
  })
}

const require = createRequire(join(import.meta.dirname, 'peers/package.json'))

/** A peer's module, `undefined` where it is not installed. */
function peer(name: string): unknown {
  return existsSync(join(import.meta.dirname, 'peers/node_modules', name)) ? require(name) : undefined
}

interface YjsModule {
  readonly Doc: new () => {
    getText(name: string): { insert(at: number, text: string): void; delete(at: number, count: number): void }
  }
  encodeStateAsUpdateV2(doc: unknown): Uint8Array
  applyUpdateV2(doc: unknown, update: Uint8Array): void
}

interface AutomergeModule {
  from(value: object): { text: string }
  change<T>(doc: T, edit: (doc: T) => void): T
  splice(doc: unknown, path: string[], at: number, deleted: number, inserted: string): void
  save(doc: unknown): Uint8Array
  load(bytes: Uint8Array): { text: string }
}

interface LoroModule {
  readonly LoroDoc: new () => {
    getText(name: string): { insert(at: number, text: string): void; delete(at: number, count: number): void }
    commit(): void
    export(options: object): Uint8Array
    import(bytes: Uint8Array): void
  }
}

function contestants(): Contestant[] {
  const all: Contestant[] = [
    {
      name: 'weft L, one merge',
      apply: (edits) => L.merge(patchesOf(edits)),
      load: (bytes) => (L.plain(bytes) ?? []).join(''),
    },
  ]
  const yjs = peer('yjs') as YjsModule | undefined
  if (yjs !== undefined) {
    all.push({
      name: 'Yjs',
      apply: (edits) => {
        const doc = new yjs.Doc()
        const text = doc.getText('text')
        for (const [place, deleted, inserted] of edits) {
          if (deleted > 0) text.delete(place, deleted)
          if (inserted !== '') text.insert(place, inserted)
        }
        return yjs.encodeStateAsUpdateV2(doc)
      },
      load: (bytes) => {
        const doc = new yjs.Doc()
        yjs.applyUpdateV2(doc, bytes)
        return String(doc.getText('text'))
      },
    })
  }
  const automerge = peer('@automerge/automerge') as AutomergeModule | undefined
  if (automerge !== undefined) {
    all.push({
      name: 'Automerge, one change',
      apply: (edits) => {
        const doc = automerge.change(automerge.from({ text: '' }), (open) => {
          for (const [place, deleted, inserted] of edits) automerge.splice(open, ['text'], place, deleted, inserted)
        })
        return automerge.save(doc)
      },
      load: (bytes) => automerge.load(bytes).text,
    })
  }
  const loro = peer('loro-crdt') as LoroModule | undefined
  if (loro !== undefined) {
    all.push({
      name: 'Loro',
      apply: (edits) => {
        const doc = new loro.LoroDoc()
        const text = doc.getText('text')
        for (const [place, deleted, inserted] of edits) {
          if (deleted > 0) text.delete(place, deleted)
          if (inserted !== '') text.insert(place, inserted)
        }
        doc.commit()
        return doc.export({ mode: 'snapshot' })
      },
      load: (bytes) => {
        const doc = new loro.LoroDoc()
        doc.import(bytes)
        return String(doc.getText('text'))
      },
    })
  }
  return all
}

function measure(contestant: Contestant, trace: Trace): Result {
  const [apply, bytes] = timed(() => contestant.apply(trace.edits))
  const loads = Array.from({ length: 3 }, () => timed(() => contestant.load(bytes)))
  for (const [, text] of loads) {
    if (text !== trace.end) throw new Error(`${contestant.name}: the text is not the one that the trace ends with`)
  }
  return { apply, bytes: bytes.length, load: median(loads.map(([time]) => time)) }
}

/** All contestants on a trace: a file, or made up. */
export function benchTrace(path: string | undefined): void {
  const trace = path === undefined ? madeUpTrace() : readTrace(path)
  const all = contestants()
  console.log(`\n${trace.name}: ${trace.edits.length} edits, ${trace.end.length} characters in the end\n`)
  line('', 'apply', 'load', 'bytes')
  for (const contestant of all) {
    const { apply, load, bytes } = measure(contestant, trace)
    line(contestant.name, ms(apply), ms(load), String(bytes))
  }
  if (all.length === 1) console.log('\nThe peers are not installed: npm ci --prefix test/bench/peers')
}

if (process.argv[1] === import.meta.filename) {
  benchLists()
  benchTrace(process.argv[2])
}
