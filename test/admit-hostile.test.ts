/**
 * Admission: what somebody who has a key, or sits between two replicas, may try; each attempt is refused with its code,
 * nothing of it is written, and what does not depend on it comes in.
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { compareBytes, concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import type { Code } from '../src/base/error.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import type { Admission } from '../src/history/admit.js'
import { vectorKey } from '../src/history/derived.js'
import { beginRepository, beginStream, type Genesis } from '../src/history/genesis.js'
import {
  decodeVersion,
  encodeHeader,
  encodeVersion,
  type Header,
  refOf,
  type Version,
  type VersionRef,
} from '../src/history/header.js'
import {
  chunkKey,
  genesisKey,
  groupsKey,
  linesPrefix,
  noteKey,
  pathKey,
  recipePrefix,
  refKey,
  tombstoneKey,
  versionKey,
  withLseq,
} from '../src/history/keys.js'
import { encodePathDelete, encodePathPut, type PathPut } from '../src/history/path-entry.js'
import { encodeRefValue, type RefValue } from '../src/history/refs.js'
import { fingerprint, type Signer } from '../src/history/signer.js'
import { sourcesExtra } from '../src/history/sources.js'
import { emptyTree, type Leaf, setPath, treeRoot } from '../src/history/tree.js'
import { verifyEntries } from '../src/history/verify.js'
import { openIdentity } from '../src/index.js'
import { encodeOrigins } from '../src/lines/origin.js'
import { runPosition } from '../src/lines/position.js'
import { encodeRanges } from '../src/lines/tombstone.js'
import type { Entry } from '../src/lseq/batch.js'
import { CLOCK_SLACK } from '../src/lseq/clock.js'
import { type Lseq, lseqOfKey, SEQ_LIMIT } from '../src/lseq/lseq.js'
import { type Entries, type Lie, sign, versionsIn } from './support/forge.js'
import { type Parcel, parcelsOf, Replica, sent } from './support/replica.js'
import { HOME } from './support/weft.js'

const NOBODY = { name: fromLatin1('N'), email: fromLatin1('n@example.org'), time: 1_700_000_000, zone: 0 }
const TEXT = fromLatin1('one\ntwo\nthree\n')

let signer: Signer
let other: Signer

before(async () => {
  signer = (await openIdentity(HOME)).signer
  other = signerOf(crypto.ed25519.generateSeed(crypto.randomBytes))
})

function signerOf(seed: Uint8Array): Signer {
  return { publicKey: crypto.ed25519.publicKey(seed), sign: (id) => crypto.ed25519.sign(seed, id) }
}

/** What a forged version adds, given its first seq and its stream. */
type Add = (first: number, stream: number) => Entry[]

/** A history in the making, of one content stream and one refs stream; whoever makes it may lie. */
class Forge {
  readonly entries: Entries = new Map()
  readonly repository = beginRepository(crypto.randomBytes)
  readonly content: Genesis
  readonly refs: Genesis

  constructor() {
    this.entries.set(toLatin1(genesisKey(0)), this.repository)
    this.content = this.begin('content')
    this.refs = this.begin('refs')
  }

  begin(kind: 'content' | 'refs', by: Signer = signer, repository = crypto.sha256(this.repository)): Genesis {
    const taken = (stream: number) => this.entries.has(toLatin1(genesisKey(stream)))
    const genesis = beginStream(repository, by.publicKey, kind, crypto.randomBytes, taken)
    this.entries.set(toLatin1(genesisKey(genesis.stream)), genesis.value)
    return genesis
  }

  /** A stream's first version; `tree` is computed from the paths it puts. */
  root(add: Add, lie: Lie = {}, genesis = this.content, by = signer): Version {
    const prev = { seq: 0, stream: genesis.stream, id: genesis.id }
    const after = {
      last: 0,
      stream: genesis.stream,
      id: genesis.id,
      tree: undefined,
      author: NOBODY,
      committer: NOBODY,
    } as unknown as Version
    const first = lie.first ?? this.greatest + 1
    const tree = genesis.kind === 'content' ? treeOf(add(first, genesis.stream)) : undefined
    return sign(this.entries, by, after, add, { prev, parents: [], tree, first, ...lie })
  }

  /** A version on top of another, with the tree that its paths give. */
  on(parent: Version, add: Add, lie: Lie = {}, by = signer): Version {
    const stream = lie.prev?.stream ?? parent.stream
    const first = lie.first ?? this.greatest + 1
    const tree = parent.tree === undefined ? undefined : treeOf(add(first, stream), this.pathsOf(parent))
    const parents = parent.tree === undefined ? { parents: [] } : {}
    return sign(this.entries, by, parent, add, { first, tree, ...parents, ...lie })
  }

  get greatest(): number {
    return Math.max(0, ...versionsIn(this.entries).map(({ last }) => last))
  }

  /** Path entries of a version and its first parents, oldest first. */
  pathsOf(version: Version): Entry[] {
    const all = parcelsOf(this.entries)
    const chain: Parcel[] = []
    for (let at: VersionRef | undefined = refOf(version); at !== undefined; ) {
      const found = all.find(({ version: one }) => toHex(one.id) === toHex(at?.id ?? fromLatin1('')))
      if (found === undefined) break
      chain.unshift(found)
      at = found.version.parents[0]
    }
    return chain.flatMap(({ entries }) => entries.filter(({ key }) => key[0] === 0x50))
  }

  /** What is sent of a version. */
  parcel(version: Version): Parcel {
    return parcelsOf(this.entries).find((parcel) => toHex(parcel.version.id) === toHex(version.id)) as Parcel
  }

  replica(): Promise<Replica> {
    return Replica.of(this.entries)
  }
}

/** The tree root that path entries give, the last one of each path counting. */
function treeOf(entries: readonly Entry[], before: readonly Entry[] = []): Uint8Array {
  let tree = emptyTree<Leaf>()
  for (const { key, value } of [...before, ...entries]) {
    if (key[0] !== 0x50) continue
    tree = setPath(tree, toLatin1(key, 1, key.length - 9), {
      touch: 0,
      value: value[0] === 0x78 ? undefined : toLatin1(value),
    })
  }
  return fromLatin1(treeRoot(tree))
}

function lineCount(text: Uint8Array): number {
  return text.filter((byte) => byte === 10).length
}

/** Two streams of one id, of different keys: ids are three bytes of a hash, so some thousand are enough. */
function clashing(repository: Uint8Array): [Genesis, Genesis] {
  const seen = new Map<number, Genesis>()
  for (;;) {
    const ours = beginStream(repository, signer.publicKey, 'content', crypto.randomBytes, () => false)
    seen.set(ours.stream, ours)
    const theirs = beginStream(repository, other.publicKey, 'content', crypto.randomBytes, () => false)
    const found = seen.get(theirs.stream)
    if (found !== undefined) return [found, theirs]
  }
}

/** A new file with one run. What is put may be said otherwise. */
function newFile(path: string, text = TEXT, put: Partial<PathPut> = {}): Add {
  return (first, stream) => {
    const file = { seq: first, stream }
    const position = runPosition(undefined, undefined, 'left', first + 1, stream)
    const entry = { mode: 0o100644, file, size: text.length, sha256: crypto.sha256(text), chunked: false, ...put }
    return [
      { key: pathKey(path, first, stream), value: encodePathPut(entry) },
      { key: concatBytes(linesPrefix(entry.file), position), value: text },
    ]
  }
}

/** A version of `newFile` takes as many seqs as it has lines, and two more. */
function block(text = TEXT): (first: number) => Lie {
  return (first) => ({ first, last: first + 1 + lineCount(text) })
}

/** Adds a file on top of a version, in a block that is large enough. */
function withFile(
  forge: Forge,
  parent: Version | undefined,
  path: string,
  text = TEXT,
  put: Partial<PathPut> = {},
  lie: Lie = {},
): Version {
  const seqs = block(text)(lie.first ?? forge.greatest + 1)
  const add = newFile(path, text, put)
  return parent === undefined ? forge.root(add, { ...seqs, ...lie }) : forge.on(parent, add, { ...seqs, ...lie })
}

function note(text: string, lastOf: (first: number) => number = (first) => first + 1): Add {
  return (first, stream) => [
    { key: noteKey(lastOf(first), stream), value: fromLatin1(`m${String.fromCharCode(text.length)}${text}`) },
  ]
}

/** A version of nothing but a note. */
function said(forge: Forge, parent: Version, text: string, lie: Lie = {}): Version {
  return forge.on(parent, note(text), lie)
}

/** A move of a ref on top of the refs stream's last version, or as its first. */
function moved(forge: Forge, before: Version | undefined, value: RefValue, name = 'main', lie: Lie = {}): Version {
  const add: Add = (first, stream) => [{ key: refKey('b', name, first, stream), value: encodeRefValue(value) }]
  return before === undefined ? forge.root(add, lie, forge.refs) : forge.on(before, add, lie)
}

function codes({ refused }: Admission): Code[] {
  return refused.map(({ code }) => code)
}

function ids(refs: readonly VersionRef[]): string[] {
  return refs.map(({ id }) => toHex(id))
}

function without(parcel: Parcel, drop: (entry: Entry) => boolean): Parcel {
  return { version: parcel.version, entries: parcel.entries.filter((entry) => !drop(entry)) }
}

function changed(parcel: Parcel, kind: string, change: (entry: Entry) => Entry): Parcel {
  const entries = parcel.entries.map((entry) => (entry.key[0] === kind.charCodeAt(0) ? change(entry) : entry))
  return { version: parcel.version, entries }
}

function flip(value: Uint8Array, at = value.length - 1): Uint8Array {
  const copy = Uint8Array.from(value)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

/** Says that just these versions come in, and that the store is as it was but for them, and verifies. */
async function expectTaken(replica: Replica, admission: Admission, wanted: readonly Version[]): Promise<void> {
  assert.deepEqual(
    ids(admission.accepted),
    wanted.map(({ id }) => toHex(id)),
    JSON.stringify(admission.refused.map(({ code, reason }) => [code, reason])),
  )
  const report = await verifyEntries(replica.entries)
  assert.deepEqual(report.damage, [])
}

describe('admission: by somebody between two replicas', () => {
  /** A good version, one that is spoilt on the way, one on top of it, and one beside. */
  async function attempt(
    spoil: (parcel: Parcel) => Parcel,
    code: Code,
    options: { alone?: boolean; make?: (forge: Forge, base: Version) => Version } = {},
  ): Promise<void> {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const make = options.make ?? ((at: Forge, on: Version) => withFile(at, on, 'next'))
    const second = make(forge, base)
    const third = said(forge, second, 'on top')
    const aside = forge.begin('content', other)
    const beside = forge.on(base, note('beside'), { prev: { seq: 0, stream: aside.stream, id: aside.id } }, other)
    const [one, two, three, four] = [base, second, third, beside].map((version) => forge.parcel(version)) as [
      Parcel,
      Parcel,
      Parcel,
      Parcel,
    ]
    await using replica = await forge.replica()
    const spoilt = spoil(two)
    const admission = await replica.take(sent(three, four, spoilt, one))
    assert.ok(codes(admission).includes(code), JSON.stringify(admission.refused.map((one) => [one.code, one.reason])))
    if (options.alone === true) {
      // Only the entry is refused, and the version is what it was.
      await expectTaken(
        replica,
        admission,
        [base, second, third, beside].sort((a, b) => a.last - b.last),
      )
      return
    }
    await expectTaken(replica, admission, [base, beside])
    assert.ok(admission.waiting.some(({ version }) => toHex(version.id) === toHex(third.id)))
    // What waits comes in with the right one.
    const aside2 = admission.waiting.flatMap(({ entries }) => entries)
    const again = await replica.take([...aside2, ...two.entries])
    await expectTaken(replica, again, [second, third])
    assert.deepEqual(again.refused, [])
  }

  const isKind = (kind: string) => (entry: Entry) => entry.key[0] === kind.charCodeAt(0)

  it('a signature that is not one', () =>
    attempt(
      (parcel) =>
        changed(parcel, 'V', ({ key }) => ({
          key,
          value: encodeVersion(parcel.version.headerBytes, flip(parcel.version.signature)),
        })),
      'SIGNATURE_BAD',
    ))
  it('a signature by somebody else', () =>
    attempt(
      (parcel) =>
        changed(parcel, 'V', ({ key }) => ({
          key,
          value: encodeVersion(parcel.version.headerBytes, other.sign(parcel.version.id)),
        })),
      'SIGNATURE_BAD',
    ))
  it('a header that is not canonical', () =>
    attempt(
      (parcel) => changed(parcel, 'V', ({ key, value }) => ({ key, value: concatBytes(value, fromLatin1('x\0')) })),
      'BAD_RECORD',
    ))
  it('a header of a later format', () =>
    attempt((parcel) => changed(parcel, 'V', ({ key, value }) => ({ key, value: laterFormat(value) })), 'FORMAT_NEWER'))
  it('a version elsewhere than it says', () =>
    attempt(
      (parcel) =>
        changed(parcel, 'V', ({ value }) => ({
          key: versionKey(parcel.version.last + 1, parcel.version.stream),
          value,
        })),
      'CHAIN_BROKEN',
    ))
  for (const kind of 'LPG') {
    it(`an entry of kind ${kind} taken away`, () =>
      attempt((parcel) => without(parcel, isKind(kind)), 'ENTRIES_DIFFER'))
  }
  for (const kind of 'LP') {
    it(`an entry of kind ${kind} changed`, () =>
      attempt((parcel) => changed(parcel, kind, ({ key, value }) => ({ key, value: flip(value) })), 'ENTRIES_DIFFER'))
  }
  it('an entry too many', () =>
    attempt(
      (parcel) => ({
        ...parcel,
        entries: [
          ...parcel.entries,
          { key: pathKey('more', parcel.version.first, parcel.version.stream), value: TEXT },
        ],
      }),
      'ENTRIES_DIFFER',
    ))
  it('a digest in the list of groups that is another', () =>
    attempt((parcel) => changed(parcel, 'G', ({ key, value }) => ({ key, value: flip(value) })), 'ENTRIES_DIFFER'))
  it('a list of groups that is no list', () =>
    attempt((parcel) => changed(parcel, 'G', ({ key }) => ({ key, value: TEXT })), 'BAD_RECORD'))
  it('an entry of a kind that nobody knows: refused by itself', () =>
    attempt(
      (parcel) => ({
        ...parcel,
        entries: [
          ...parcel.entries,
          { key: withLseq(fromLatin1('Y?'), parcel.version.first, parcel.version.stream), value: TEXT },
        ],
      }),
      'BAD_KEY',
      { alone: true },
    ))
  it('what is derived: refused by itself', () =>
    attempt(
      (parcel) => ({
        ...parcel,
        entries: [...parcel.entries, { key: vectorKey(parcel.version.last, parcel.version.stream), value: TEXT }],
      }),
      'ENTRY_STRAY',
      { alone: true },
    ))
  it('entries of no version: refused by themselves', () =>
    attempt(
      (parcel) => ({
        ...parcel,
        entries: [
          ...parcel.entries,
          { key: pathKey('stray', parcel.version.last + 5000, parcel.version.stream), value: TEXT },
          { key: groupsKey(parcel.version.first, parcel.version.stream), value: TEXT },
          { key: fromLatin1('V'), value: TEXT },
          { key: new Uint8Array(1 << 17), value: TEXT },
        ],
      }),
      'ENTRY_STRAY',
      { alone: true },
    ))
  it('an entry twice, with another value the second time', () =>
    attempt(
      (parcel) => ({
        ...parcel,
        entries: [
          ...parcel.entries,
          ...parcel.entries.filter(isKind('L')).map(({ key, value }) => ({ key, value: flip(value) })),
        ],
      }),
      'ENTRY_CONFLICT',
      { alone: true },
    ))
})

/** The value of a version's entry with the format that its header says made one greater. */
function laterFormat(value: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(value)
  const at = toLatin1(copy).indexOf('v\x01\x01')
  copy[at + 2] = 2
  return copy
}

describe('admission: by somebody who has a key', () => {
  /** A base, a lie on top of it, an honest version on top of the lie, and an honest one beside it. */
  async function attempt(
    lie: (forge: Forge, base: Version) => Version,
    code: Code,
    prepare: (forge: Forge) => Version = (forge) => withFile(forge, undefined, 'base'),
  ): Promise<void> {
    const forge = new Forge()
    const base = prepare(forge)
    const aside = forge.begin('content', other)
    const beside = forge.on(base, note('beside'), { prev: { seq: 0, stream: aside.stream, id: aside.id } }, other)
    const good = parcelsOf(forge.entries)
    const bad = lie(forge, base)
    await using replica = await forge.replica()
    const admission = await replica.take(sent(...parcelsOf(forge.entries)))
    assert.deepEqual(codes(admission), [code], JSON.stringify(admission.refused.map((one) => [one.code, one.reason])))
    assert.deepEqual(toHex(admission.refused[0]?.version?.id ?? fromLatin1('')), toHex(bad.id))
    await expectTaken(
      replica,
      admission,
      good.map(({ version }) => version),
    )
    assert.ok(beside)
    // Nothing else is there than what was taken in.
    const there = [...(await replica.all()).keys()].filter((key) => !'IX'.includes(key[0] as string))
    const wanted = new Set([...sent(...good).map(({ key }) => toLatin1(key)), toLatin1(genesisKey(0))])
    assert.deepEqual(
      there.filter((key) => !wanted.has(key)),
      [],
    )
    // And it is still refused when it comes by itself.
    assert.deepEqual(codes(await replica.judge(forge.parcel(bad).entries)), [code])
  }

  const zero = new Uint8Array(32)

  it('a root of changes that is another', () =>
    attempt((forge, base) => withFile(forge, base, 'x', TEXT, {}, { changes: zero }), 'ENTRIES_DIFFER'))
  it('a root of the tree that is another', () =>
    attempt((forge, base) => withFile(forge, base, 'x', TEXT, {}, { tree: zero }), 'TREE_MISMATCH'))
  it('a content that is another', () =>
    attempt((forge, base) => withFile(forge, base, 'x', TEXT, { sha256: zero }), 'CONTENT_DAMAGED'))
  it('a size that is another', () =>
    attempt((forge, base) => withFile(forge, base, 'x', TEXT, { size: 1 }), 'CONTENT_DAMAGED'))
  it('a size that nobody can hold', () =>
    attempt((forge, base) => withFile(forge, base, 'x', TEXT, { size: 2 ** 40 }), 'BAD_RECORD'))
  it('chunks that are not there', () =>
    attempt(
      (forge, base) =>
        forge.on(base, (first, stream) => newFile('x', TEXT, { chunked: true })(first, stream).slice(0, 1)),
      'CHUNK_MISSING',
    ))

  it('a clock that runs ahead', () =>
    attempt(
      (forge, base) =>
        said(forge, base, 'x', { first: base.last + CLOCK_SLACK + 1, last: base.last + CLOCK_SLACK + 2 }),
      'CLOCK_AHEAD',
    ))
  it('a block that takes all seqs there are', () =>
    attempt((forge, base) => said(forge, base, 'x', { last: SEQ_LIMIT - 1 }), 'CLOCK_AHEAD'))
  it('seqs that are not above those of the parent', () =>
    attempt((forge, base) => said(forge, base, 'x', { first: base.last, last: base.last + 1 }), 'CHAIN_BROKEN'))
  it('seqs that are not above those of a parent in another stream', () =>
    attempt((forge, base) => {
      const { stream, id } = forge.begin('content')
      return said(forge, base, 'x', { prev: { seq: 0, stream, id }, first: base.last, last: base.last + 1 })
    }, 'CHAIN_BROKEN'))
  it('a refs version that stands on contents', () =>
    attempt(
      (forge, base) =>
        moved(forge, undefined, { replaces: [], version: refOf(base) }, 'main', { parents: [refOf(base)] }),
      'CHAIN_BROKEN',
    ))
  it('a version of contents that stands on refs', () => {
    let refs: Version | undefined
    return attempt(
      (forge, base) => said(forge, base, 'x', { parents: [refOf(base), refOf(refs as Version)] }),
      'CHAIN_BROKEN',
      (forge) => {
        const base = withFile(forge, undefined, 'base')
        refs = moved(forge, undefined, { replaces: [], version: refOf(base) })
        return base
      },
    )
  })
  it('a version without a tree in a stream of contents', () =>
    attempt((forge, base) => said(forge, base, 'x', { tree: undefined, parents: [] }), 'CHAIN_BROKEN'))
  it('a version with a tree in a stream of refs', () =>
    attempt((forge) => forge.root(note('x'), { tree: treeOf([]) }, forge.refs), 'CHAIN_BROKEN'))
  it('another genesis', () =>
    attempt(
      (forge, base) => said(forge, base, 'x', { prev: { seq: 0, stream: base.stream, id: zero } }),
      'CHAIN_BROKEN',
    ))
  it('a parent with another id', () =>
    attempt((forge, base) => {
      const { stream, id } = forge.begin('content')
      return said(forge, base, 'x', { parents: [{ ...refOf(base), id: zero }], prev: { seq: 0, stream, id } })
    }, 'CHAIN_BROKEN'))
  it('a stream that is gone on with from elsewhere', () =>
    attempt(
      (forge, base) => said(forge, base, 'x', { parents: [], tree: crypto.sha256(zero.subarray(32)) }),
      'CHAIN_BROKEN',
    ))
  it('a genesis as parent', () =>
    attempt(
      (forge, base) =>
        said(forge, base, 'x', {
          prev: refOf(base),
          parents: [refOf(base), { seq: 0, stream: base.stream, id: zero }],
        }),
      'CHAIN_BROKEN',
    ))
  it('a source that is younger', () =>
    attempt(
      (forge, base) =>
        said(forge, base, 'x', { extra: [sourcesExtra([{ seq: base.last + 999, stream: 7, id: zero }])] }),
      'CHAIN_BROKEN',
    ))
  it('a stream of somebody else', () => attempt((forge, base) => forge.on(base, note('x'), {}, other), 'SIGNATURE_BAD'))

  /** Adds entries on top of the base, whatever they are. */
  const adding =
    (add: (base: Version, first: number, stream: number) => Entry[], lie: (first: number) => Lie = () => ({})) =>
    (forge: Forge, base: Version) =>
      forge.on(base, (first, stream) => add(base, first, stream), lie(forge.greatest + 1))
  const fileOf = ({ first, stream }: Version): Lseq => ({ seq: first, stream })
  const runOf = ({ first, stream }: Version): Uint8Array => runPosition(undefined, undefined, 'left', first + 1, stream)

  /** The base's file put again as it is or was made, with what else is said of its lines. */
  const touching = (text: Uint8Array, beside: (base: Version, first: number, stream: number) => Entry[], last = 2) =>
    adding(
      (base, first, stream) => [
        {
          key: pathKey('base', first, stream),
          value: encodePathPut({
            mode: 0o100644,
            file: fileOf(base),
            size: text.length,
            sha256: crypto.sha256(text),
            chunked: false,
          }),
        },
        ...beside(base, first + 1, stream),
      ],
      (first) => ({ first, last: first + last }),
    )

  it('a file changed that is put at no path', () =>
    attempt(
      adding((base, first, stream) => [
        { key: tombstoneKey(linesPrefix(fileOf(base)), runOf(base), first, stream), value: encodeRanges([0, 1]) },
      ]),
      'TREE_MISMATCH',
    ))
  it('a tombstone of more lines than there are', () =>
    attempt(
      touching(TEXT, (base, seq, stream) => [
        { key: tombstoneKey(linesPrefix(fileOf(base)), runOf(base), seq, stream), value: encodeRanges([3, 9]) },
      ]),
      'BAD_RECORD',
    ))
  it('a tombstone without its run', () =>
    attempt(
      touching(TEXT, (base, seq, stream) => [
        {
          key: tombstoneKey(
            linesPrefix(fileOf(base)),
            runPosition(undefined, undefined, 'left', base.last, stream),
            seq,
            stream,
          ),
          value: encodeRanges([0, 1]),
        },
      ]),
      'BAD_WEAVE',
    ))
  it('a tombstone that says nothing', () =>
    attempt(
      touching(TEXT, (base, seq, stream) => [
        { key: tombstoneKey(linesPrefix(fileOf(base)), runOf(base), seq, stream), value: new Uint8Array(0) },
      ]),
      'BAD_RECORD',
    ))
  it('a run without lines', () =>
    attempt(
      touching(TEXT, (base, seq, stream) => [
        {
          key: concatBytes(linesPrefix(fileOf(base)), runPosition(undefined, runOf(base), 'left', seq, stream)),
          value: new Uint8Array(0),
        },
      ]),
      'BAD_WEAVE',
    ))
  it('a run of more lines than it took seqs', () =>
    attempt(
      touching(concatBytes(TEXT, TEXT), (base, seq, stream) => [
        {
          key: concatBytes(linesPrefix(fileOf(base)), runPosition(undefined, runOf(base), 'left', seq, stream)),
          value: TEXT,
        },
      ]),
      'BAD_RECORD',
    ))
  it('two entries of one seq', () =>
    attempt(
      adding(
        (_, first, stream) => [...newFile('x')(first, stream), ...newFile('y')(first, stream).slice(0, 1)],
        (first) => ({ first, last: first + 4 }),
      ),
      'BAD_RECORD',
    ))
  it('origins beside lines of another version', () =>
    attempt(
      touching(TEXT, (base, seq, stream) => [
        {
          key: tombstoneKey(linesPrefix(fileOf(base)), runOf(base), seq, stream),
          value: encodeOrigins([{ from: 0, to: 1, seq: base.first + 1, stream: base.stream }]),
        },
      ]),
      'BAD_RECORD',
    ))
  it('origins that are not true', () =>
    attempt(
      touching(
        concatBytes(fromLatin1('four\n'), TEXT),
        (base, seq, stream) => {
          const position = runPosition(undefined, runOf(base), 'left', seq, stream)
          const prefix = linesPrefix(fileOf(base))
          return [
            { key: concatBytes(prefix, position), value: fromLatin1('four\n') },
            {
              key: tombstoneKey(prefix, position, seq + 1, stream),
              value: encodeOrigins([{ from: 0, to: 1, seq: base.first + 1, stream: base.stream }]),
            },
          ]
        },
        3,
      ),
      'ORIGIN_FALSE',
    ))
  it('a chunk that is not what it is named after', () =>
    attempt(
      adding((_, first, stream) => [{ key: chunkKey(crypto.sha256Binary(TEXT), first, stream), value: flip(TEXT) }]),
      'CONTENT_DAMAGED',
    ))
  it('a list of chunks that is malformed', () =>
    attempt(
      adding((_, first, stream) => [
        ...newFile('x', TEXT, { chunked: true })(first, stream).slice(0, 1),
        { key: withLseq(recipePrefix({ seq: first, stream }), first + 1, stream), value: TEXT },
      ]),
      'BAD_RECORD',
    ))
  it('a note elsewhere than its version', () =>
    attempt(
      (forge, base) =>
        forge.on(
          base,
          note('x', (first) => first),
        ),
      'BAD_RECORD',
    ))
  it('a note that is none', () =>
    attempt(
      adding((_, first, stream) => [{ key: noteKey(first + 1, stream), value: TEXT }]),
      'BAD_RECORD',
    ))
  it('a path entry that is none', () =>
    attempt(
      adding((_, first, stream) => [{ key: pathKey('x', first, stream), value: TEXT }]),
      'BAD_RECORD',
    ))
  it('a path of very many directories', () =>
    attempt((forge, base) => {
      const first = forge.greatest + 1
      const add = newFile(`${'a/'.repeat(3000)}x`)
      const before = { seq: base.last, stream: base.stream, id: base.id }
      return sign(forge.entries, signer, base, add, { first, last: first + 4, prev: before })
    }, 'BAD_RECORD'))
  it('a path as deep as git has them, which is no lie', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, `${'a/'.repeat(2000)}x`)
    await using replica = await forge.replica()
    await expectTaken(replica, await replica.take(sent(forge.parcel(base))), [base])
  })
  it('a ref in a version of contents', () =>
    attempt(
      adding((_, first, stream) => [{ key: refKey('b', 'x', first, stream), value: encodeRefValue({ replaces: [] }) }]),
      'BAD_RECORD',
    ))

  it('a file put at a second path, changed there and left alone at the first', () =>
    attempt(
      adding(
        (base, first, stream) => {
          const text = concatBytes(fromLatin1('zero\n'), TEXT)
          const put = {
            mode: 0o100644,
            file: fileOf(base),
            size: text.length,
            sha256: crypto.sha256(text),
            chunked: false,
          }
          return [
            { key: pathKey('copy', first, stream), value: encodePathPut(put) },
            {
              key: concatBytes(
                linesPrefix(fileOf(base)),
                runPosition(undefined, runOf(base), 'left', first + 1, stream),
              ),
              value: fromLatin1('zero\n'),
            },
          ]
        },
        (first) => ({ first, last: first + 2 }),
      ),
      'CONTENT_DAMAGED',
    ))

  it('a merge that leaves alone what both sides changed', () => {
    const sides: Version[] = []
    return attempt(
      (forge) => {
        const parents = sides.map(refOf)
        return forge.on(sides[1] as Version, note('merge'), { prev: parents[1] as VersionRef, parents })
      },
      'TREE_MISMATCH',
      (forge) => {
        const base = withFile(forge, undefined, 'base')
        for (const line of ['left\n', 'right\n']) sides.push(onTop(forge, base, line, 'base'))
        return base
      },
    )
  })

  it('a merge that leaves a file alone where one side moved it and the other changed it', () => {
    const sides: Version[] = []
    return attempt(
      (forge, base) => {
        const parents = sides.map(refOf)
        const gone: Add = (first, stream) => [
          { key: pathKey('base', first, stream), value: encodePathDelete(fileOf(base)) },
        ]
        // What is at the new path is what the side that moved the file had there.
        const tree = treeOf([...forge.pathsOf(base), ...forge.parcel(sides[1] as Version).entries, ...gone(9, 9)])
        return forge.on(sides[1] as Version, gone, { prev: parents[1] as VersionRef, parents, tree })
      },
      'CONTENT_DAMAGED',
      (forge) => {
        const base = withFile(forge, undefined, 'base')
        sides.push(onTop(forge, base, 'left\n', 'base'))
        const { stream, id } = forge.begin('content')
        const move: Add = (first, of) => [
          { key: pathKey('base', first, of), value: encodePathDelete(fileOf(base)) },
          { key: pathKey('moved', first + 1, of), value: encodePathPut(putOf(base, TEXT)) },
        ]
        sides.push(forge.on(base, move, { prev: { seq: 0, stream, id } }))
        return base
      },
    )
  })

  const putOf = (base: Version, text: Uint8Array): PathPut => {
    return { mode: 0o100644, file: fileOf(base), size: text.length, sha256: crypto.sha256(text), chunked: false }
  }

  /** A version in a stream of its own that puts a line in front of the base's file. */
  function onTop(forge: Forge, base: Version, line: string, path: string): Version {
    const text = concatBytes(fromLatin1(line), TEXT)
    const { stream, id } = forge.begin('content')
    const add: Add = (first, of) => [
      { key: pathKey(path, first, of), value: encodePathPut(putOf(base, text)) },
      {
        key: concatBytes(linesPrefix(fileOf(base)), runPosition(undefined, runOf(base), 'left', first + 1, of)),
        value: fromLatin1(line),
      },
    ]
    const first = forge.greatest + 1
    return forge.on(base, add, { prev: { seq: 0, stream, id }, first, last: first + 2 })
  }
})

describe('admission: streams', () => {
  it('two versions behind one, in one batch or one after the other: the first stays, the other is evidence', async () => {
    for (const apart of [false, true]) {
      const forge = new Forge()
      const base = withFile(forge, undefined, 'base')
      const good = parcelsOf(forge.entries)
      const one = said(forge, base, 'one')
      const first = forge.parcel(one)
      for (const { key } of first.entries) forge.entries.delete(toLatin1(key))
      const two = said(forge, base, 'two', { first: one.first + 7, last: one.last + 7 })
      const second = forge.parcel(two)
      const third = forge.parcel(said(forge, two, 'three'))
      await using replica = await forge.replica()
      if (apart) await replica.take(sent(...good, first))
      const admission = await replica.take(apart ? sent(second, third) : sent(third, second, ...good, first))
      assert.deepEqual(codes(admission), ['EQUIVOCATION'])
      assert.deepEqual(ids(admission.waiting.map(({ version }) => version)), ids([refOf(third.version)]))
      assert.equal(admission.evidence.length, 1)
      assert.ok(await replica.has(one))
      assert.ok(!(await replica.has(two)))
      const { damage, equivocations, ok } = await verifyEntries(replica.entries)
      assert.deepEqual([ok, damage], [true, []])
      assert.deepEqual(
        equivocations.map(({ kept, refused }) => [kept, refused]),
        [[toHex(one.id), toHex(two.id)]],
      )
      // What stands on the refused one can never come in.
      assert.deepEqual((await replica.judge(sent(third))).accepted, [])
    }
  })

  it('what goes on from a version that waits is no evidence, whatever else its stream was gone on with', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const lost = said(forge, base, 'lost')
    const waits = said(forge, lost, 'waits')
    const other = said(forge, base, 'other')
    const later = said(forge, waits, 'later')
    await using replica = await forge.replica()
    await replica.take(sent(forge.parcel(base)))
    const admission = await replica.take(sent(forge.parcel(waits), forge.parcel(other), forge.parcel(later)))
    assert.deepEqual(ids(admission.accepted), ids([refOf(other)]))
    assert.deepEqual(ids(admission.waiting.map(({ version }) => version)), ids([refOf(waits), refOf(later)]))
    assert.deepEqual([admission.refused, admission.evidence], [[], []])
    assert.deepEqual((await verifyEntries(replica.entries)).damage, [])
  })

  it('two beginnings of one stream', async () => {
    const forge = new Forge()
    const one = forge.parcel(withFile(forge, undefined, 'one'))
    const two = forge.parcel(withFile(forge, undefined, 'two'))
    await using replica = await forge.replica()
    await replica.take(sent(one))
    const admission = await replica.take([...two.entries])
    assert.deepEqual(codes(admission), ['EQUIVOCATION'])
    assert.equal(admission.evidence.length, 1)
  })

  it('evidence that proves nothing is damage', async () => {
    const forge = new Forge()
    const one = withFile(forge, undefined, 'one')
    await using replica = await forge.replica()
    await replica.take(sent(forge.parcel(one)))
    const key = concatBytes(fromLatin1('q'), fromLatin1('abc'), one.id)
    await replica.entries.store.batch([{ type: 'put', key, value: encodeVersion(one.headerBytes, one.signature) }])
    const { damage, ok } = await verifyEntries(replica.entries)
    assert.equal(ok, false)
    assert.deepEqual(
      damage.map(({ kind }) => kind),
      ['evidence'],
    )
  })

  it('of another repository', async () => {
    const [ours, theirs] = [new Forge(), new Forge()]
    const version = withFile(theirs, undefined, 'x')
    await using replica = await ours.replica()
    const admission = await replica.take([
      ...theirs.parcel(version).entries,
      { key: genesisKey(0), value: theirs.repository },
    ])
    assert.deepEqual(new Set(codes(admission)), new Set(['REPO_OTHER']))
    assert.deepEqual(admission.accepted, [])
    assert.ok(admission.refused.some((one) => toHex(one.version?.id ?? fromLatin1('')) === toHex(version.id)))
  })

  it('with one id and two geneses are refused, and both keys named', async () => {
    const forge = new Forge()
    const [ours, theirs] = clashing(crypto.sha256(forge.repository))
    const versionOf = (genesis: Genesis, by: Signer): Parcel => {
      forge.entries.set(toLatin1(genesisKey(genesis.stream)), genesis.value)
      const parcel = forge.parcel(forge.root(note('x'), { tree: treeOf([]) }, genesis, by))
      for (const { key } of parcel.entries) forge.entries.delete(toLatin1(key))
      return parcel
    }
    const one = versionOf(ours, signer)
    const two = versionOf(theirs, other)
    await using replica = await forge.replica()
    await expectTaken(replica, await replica.take(one.entries), [one.version])
    const admission = await replica.take(two.entries)
    assert.deepEqual(codes(admission), ['STREAM_CLASH', 'STREAM_CLASH'])
    for (const { publicKey } of [ours, theirs]) {
      assert.ok(admission.refused[0]?.reason.includes(fingerprint(publicKey)), admission.refused[0]?.reason)
    }
    await expectTaken(replica, admission, [])
    assert.ok(await replica.has(one.version))
  })

  it('whose genesis has not come wait for it', async () => {
    const forge = new Forge()
    const version = withFile(forge, undefined, 'x')
    const parcel = forge.parcel(version)
    await using replica = await forge.replica()
    const admission = await replica.take(sent(without(parcel, ({ key }) => key[0] === 0x4b)))
    assert.deepEqual([admission.accepted, admission.refused], [[], []])
    assert.deepEqual(
      admission.waiting[0]?.missing.map(({ seq, id }) => [seq, toHex(id)]),
      [[0, toHex(forge.content.id)]],
    )
    await expectTaken(replica, await replica.take(sent(parcel)), [version])
  })

  it('without a version come to nothing', async () => {
    const forge = new Forge()
    await using replica = await forge.replica()
    const admission = await replica.take([{ key: genesisKey(forge.content.stream), value: forge.content.value }])
    assert.deepEqual([codes(admission), admission.entries], [['ENTRY_STRAY'], []])
    const malformed = await replica.take([
      { key: genesisKey(5), value: TEXT },
      { key: fromLatin1('K123456789'), value: TEXT },
    ])
    assert.deepEqual(malformed.entries, [])
  })

  it('of a key that may not sign are refused with what the caller says', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'x')
    const next = said(forge, base, 'y')
    await using replica = await forge.replica()
    const maySign = (_: Uint8Array, { seq }: Lseq) =>
      seq > base.last ? { code: 'USER_UNKNOWN' as const, reason: 'No.' } : undefined
    const admission = await replica.take(sent(...parcelsOf(forge.entries)), { maySign })
    assert.deepEqual(codes(admission), ['USER_UNKNOWN'])
    await expectTaken(replica, admission, [base])
    assert.ok(next)
  })

  it('are known when they come again, and go on where the caller says that they end', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'x')
    const next = said(forge, base, 'y')
    await using replica = await forge.replica()
    await replica.take(sent(forge.parcel(base)))
    const tips = new Map([[base.stream, base.last]])
    const admission = await replica.take(sent(...parcelsOf(forge.entries)), { tips })
    assert.deepEqual(ids(admission.known), ids([refOf(base)]))
    await expectTaken(replica, admission, [next])
  })
})

describe('admission: refs', () => {
  it('that name what is not here wait, but for what they replaced themselves', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const secret = said(forge, base, 'never sent')
    const one = moved(forge, undefined, { replaces: [], version: refOf(secret) })
    const two = moved(forge, one, { replaces: [{ seq: one.first, stream: one.stream }], version: refOf(base) })
    const three = moved(forge, two, { replaces: [{ seq: two.first, stream: two.stream }], version: refOf(secret) })
    const [b, r1, r2, r3] = [base, one, two, three].map((version) => forge.parcel(version)) as [
      Parcel,
      Parcel,
      Parcel,
      Parcel,
    ]
    await using replica = await forge.replica()
    const first = await replica.take(sent(b, r1))
    await expectTaken(replica, first, [base])
    assert.deepEqual(
      first.waiting.map(({ missing }) => ids(missing)),
      [ids([refOf(secret)])],
    )
    const second = await replica.take(sent(r1, r2, r3))
    await expectTaken(replica, second, [one, two])
    const third = await replica.take(sent(r3, forge.parcel(secret)))
    await expectTaken(replica, third, [secret, three])
  })

  it('of another name are not replaced', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const secret = said(forge, base, 'never sent')
    const one = moved(forge, undefined, { replaces: [], version: refOf(secret) })
    const two = moved(forge, one, { replaces: [{ seq: one.first, stream: one.stream }], version: refOf(base) }, 'other')
    await using replica = await forge.replica()
    const admission = await replica.take(sent(forge.parcel(base), forge.parcel(one), forge.parcel(two)))
    await expectTaken(replica, admission, [base])
  })

  it('that are malformed, or stand for refs, are refused', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const bad = forge.root((first, stream) => [{ key: refKey('b', 'x', first, stream), value: TEXT }], {}, forge.refs)
    await using replica = await forge.replica()
    assert.deepEqual(codes(await replica.take(sent(...parcelsOf(forge.entries)))), ['BAD_RECORD'])
    for (const { key } of forge.parcel(bad).entries) forge.entries.delete(toLatin1(key))
    forge.entries.set(toLatin1(genesisKey(forge.refs.stream)), forge.refs.value)
    const one = moved(forge, undefined, { replaces: [], version: refOf(base) })
    const two = moved(forge, one, { replaces: [], version: refOf(one) }, 'self')
    const paths = forge.on(two, newFile('x'), { tree: undefined, parents: [] })
    const admission = await replica.take(sent(...parcelsOf(forge.entries)))
    assert.deepEqual(codes(admission).sort(), ['BAD_RECORD', 'REF_BROKEN'])
    await expectTaken(replica, admission, [one])
    assert.ok(paths)
  })

  it('that are snapshots of more streams than there can be are refused', async () => {
    const forge = new Forge()
    const vector = Array.from({ length: (1 << 16) + 1 }, (_, i) => ({ seq: 1, stream: i + 1 }))
    const add: Add = (first, stream) => [
      { key: refKey('s', 'snap', first, stream), value: encodeRefValue({ replaces: [], vector }) },
    ]
    forge.root(add, {}, forge.refs)
    await using replica = await forge.replica()
    assert.deepEqual(codes(await replica.take(sent(...parcelsOf(forge.entries)))), ['BAD_RECORD'])
  })

  it('that are snapshots of what is not here wait', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const later = said(forge, base, 'later')
    const add: Add = (first, stream) => [
      {
        key: refKey('s', 'snap', first, stream),
        value: encodeRefValue({ replaces: [], vector: [{ seq: later.last, stream: later.stream }] }),
      },
    ]
    const snap = forge.root(add, {}, forge.refs)
    await using replica = await forge.replica()
    await expectTaken(replica, await replica.take(sent(forge.parcel(base), forge.parcel(snap))), [base])
    await expectTaken(replica, await replica.take(sent(forge.parcel(later), forge.parcel(snap))), [later, snap])
  })
})

describe('admission: picked lines', () => {
  it('of a version that turns out otherwise later are doubtful, and no damage', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const aside = forge.begin('content', other)
    const line = fromLatin1('four\n')
    const file = { seq: base.first, stream: base.stream }
    const run = runPosition(undefined, undefined, 'left', base.first + 1, base.stream)
    const putting =
      (text: Uint8Array, own: Uint8Array, more: (seq: number, stream: number, position: Uint8Array) => Entry[]): Add =>
      (first, stream) => {
        const position = runPosition(undefined, run, 'left', first + 1, stream)
        const put = { mode: 0o100644, file, size: text.length, sha256: crypto.sha256(text), chunked: false }
        return [
          { key: pathKey('base', first, stream), value: encodePathPut(put) },
          { key: concatBytes(linesPrefix(file), position), value: own },
          ...more(first + 2, stream, position),
        ]
      }
    // Somebody else's version, of which another line is picked than there is.
    const text = concatBytes(fromLatin1('five\n'), TEXT)
    const source = forge.on(
      base,
      putting(text, fromLatin1('five\n'), () => []),
      { prev: { seq: 0, stream: aside.stream, id: aside.id } },
      other,
    )
    const picked = forge.on(
      base,
      putting(concatBytes(line, TEXT), line, (seq, stream, position) => [
        {
          key: tombstoneKey(linesPrefix(file), position, seq, stream),
          value: encodeOrigins([{ from: 0, to: 1, seq: source.first + 1, stream: source.stream }]),
        },
      ]),
      { extra: [sourcesExtra([refOf(source)])] },
    )
    await using replica = await forge.replica()
    await expectTaken(replica, await replica.take(sent(forge.parcel(base), forge.parcel(picked))), [base, picked])
    await expectTaken(replica, await replica.take(sent(forge.parcel(source))), [source])
    const { doubts } = await verifyEntries(replica.entries)
    assert.deepEqual(
      doubts.map(({ kind }) => kind),
      ['origin'],
    )
  })
})

/** Keeps the helpers honest: what is not a lie comes in. */
describe('admission: no lie', () => {
  it('is taken in, whatever the order', async () => {
    const forge = new Forge()
    const base = withFile(forge, undefined, 'base')
    const next = withFile(forge, base, 'next')
    const ref = moved(forge, undefined, { replaces: [], version: refOf(next) })
    await using replica = await forge.replica()
    const entries = sent(...parcelsOf(forge.entries)).sort((a, b) => compareBytes(b.key, a.key))
    await expectTaken(replica, await replica.take(entries), [base, next, ref])
    assert.equal(
      lseqOfKey(versionKey(ref.last, ref.stream)).seq,
      decodeVersion(encodeVersion(ref.headerBytes, ref.signature)).last,
    )
    assert.ok(encodeHeader(ref as Header).length > 0)
  })
})
