/**
 * The main job, shown on real input: `npm run demo`.
 *
 * Imports the git history of the clone this file stands in, or of `fixtures/small.bundle` where there is no usable `.git`,
 * into a temporary repository; looks around in it; restores an old version; verifies everything; flips one byte and
 * verifies again. All of it through the command line, as a user would, and all of it in a temporary directory, the
 * identity key included.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const RUN = join(ROOT, 'bin/run.js')
const FIXTURE = join(ROOT, 'fixtures/small.bundle')
const TEMP = mkdtempSync(join(tmpdir(), 'weft-demo-'))
const REPO = join(TEMP, 'repository')
const COLOUR = process.stdout.isTTY && !process.env.NO_COLOR
const ENV = { ...process.env, WEFT_HOME: join(TEMP, 'home'), ...(COLOUR && { FORCE_COLOR: '1' }) }

let steps = 0

const bold = (text) => (COLOUR ? `\x1b[1m${text}\x1b[0m` : text)
const dim = (text) => (COLOUR ? `\x1b[2m${text}\x1b[0m` : text)
const say = (text = '') => process.stdout.write(`${text}\n`)

/** Ends the demo with a reason; what it made is removed. */
class DemoFailed extends Error {}

/** Runs weft in the repository. @returns What it printed, how it ended, and the seconds it took. */
function weft(args, cwd = REPO) {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, ...args], { cwd, env: ENV, maxBuffer: 1 << 30 })
  return { status, out: String(stdout), err: String(stderr), seconds: (performance.now() - began) / 1000 }
}

/** Runs weft, shows the command, the first lines of what it printed, and how long it took. */
function show(args, { lines = 12, expect = 0, cwd = REPO } = {}) {
  const result = weft(args, cwd)
  const words = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')
  say(`${bold(`  $ weft ${words}`)}  ${dim(`(${result.seconds.toFixed(2)} s)`)}`)
  const text = result.out.trimEnd().split('\n')
  for (const line of text.slice(0, lines)) say(`  ${line}`)
  if (text.length > lines) say(dim(`  ... and ${text.length - lines} more lines`))
  say()
  if (result.status !== expect) throw new DemoFailed(`weft ${words} ended with status ${result.status}:\n${result.err}`)
  return result
}

/** Runs weft with --json, unseen. */
function ask(args) {
  const { status, out, err } = weft([...args, '--json'])
  if (status !== 0) throw new DemoFailed(`weft ${args.join(' ')} --json ended with status ${status}:\n${err}`)
  return JSON.parse(out)
}

/** Opens the next step with what it is about. */
function step(title, text) {
  say(bold(`${++steps}. ${title}`))
  say(`   ${text}`)
  say()
}

/** Where the history comes from: the clone around this file if git can read all of it, else the fixture. */
function source() {
  const git = (...args) => spawnSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' })
  const whole = existsSync(join(ROOT, '.git')) && git('rev-parse', '--is-shallow-repository').stdout?.trim() === 'false'
  if (whole && git('rev-parse', '-q', '--verify', 'HEAD').status === 0)
    return { path: ROOT, what: 'of this project itself' }
  return { path: FIXTURE, what: 'in fixtures/small.bundle' }
}

/** The text file with the most versions among the likely ones, so that blame has something to tell. */
function busiestFile() {
  const entries = ask(['ls']).filter((e) => e.kind === 'file' && e.size > 200 && e.size < 20_000)
  const likely = entries.filter((e) => /\.(md|ts|js|mjs|c|h|py|txt)$/.test(e.path)).slice(0, 200)
  const known = ['README.md', 'package.json'].map((path) => entries.find((e) => e.path === path)).filter(Boolean)
  const some = [...known, ...likely.filter((_, i) => i % Math.ceil(likely.length / 12) === 0)]
  const counted = some.map(({ path }) => ({ path, versions: ask(['log', path]).length }))
  return counted.sort((a, b) => b.versions - a.versions)[0]?.path
}

/** Compares restored files with the SHA-256 that the repository names. @returns The number of files compared. */
function compare(dir, entries) {
  let files = 0
  for (const { path, kind, sha256 } of entries) {
    if (kind !== 'file' && kind !== 'executable') continue
    const file = join(dir, path)
    if (!existsSync(file) || !lstatSync(file).isFile()) throw new DemoFailed(`${path} was not restored`)
    if (createHash('sha256').update(readFileSync(file)).digest('hex') !== sha256)
      throw new DemoFailed(`${path} differs`)
    files++
  }
  return files
}

/** Changes one bit in the middle of the largest file of the store. */
function flipOneByte() {
  const store = join(REPO, '.weft/store')
  const [largest] = readdirSync(store)
    .filter((name) => /\.(ldb|log)$/.test(name))
    .map((name) => ({ name, bytes: readFileSync(join(store, name)) }))
    .sort((a, b) => b.bytes.length - a.bytes.length)
  const at = Math.floor(largest.bytes.length / 2)
  const before = largest.bytes[at]
  largest.bytes[at] = before ^ 1
  writeFileSync(join(store, largest.name), largest.bytes)
  const hex = (byte) => `0x${byte.toString(16).padStart(2, '0')}`
  return `byte ${at} of .weft/store/${largest.name}: ${hex(before)} is now ${hex(before ^ 1)}`
}

function demo() {
  mkdirSync(REPO)
  const { path, what } = source()
  say(`${bold('weft')}: version control in which every line is a signed record.`)
  say(`Everything here happens in ${TEMP}, which is removed at the end.`)
  say()

  step('Import', `The git history ${what} becomes a weft repository.`)
  const imported = show(['git', 'import', path, '.'], { lines: 30 })

  step('Look around', 'The newest versions, and who put each line of a file there.')
  show(['log', '-n', '2'], { lines: 24 })
  const file = busiestFile()
  const blamed = file === undefined ? undefined : show(['blame', file], { lines: 10 })

  const versions = ask(['log'])
  const old = versions[Math.floor(versions.length / 2)]
  step(
    'Restore',
    `The version halfway back, ${versions.length - versions.indexOf(old)} of ${versions.length}, into a new directory.`,
  )
  const out = join(TEMP, 'restored')
  const restored = show(['restore', '--at', old.id.slice(0, 16), '--to', out])
  const files = compare(out, ask(['ls', '--at', old.id]))
  say(`   All ${files} files have the SHA-256 that the signed version names.`)
  say()

  step('Verify', 'Every signature, every hash and every version of every file is computed again.')
  const verified = show(['verify'])

  step('Flip one byte', 'One bit is changed behind the back of weft, as a bad disk or an intruder would.')
  say(`   ${flipOneByte()}.`)
  say()
  const damaged = show(['verify'], { expect: 3, lines: 8 })

  say(bold('What happened'))
  const times = [
    ['import', imported],
    ['blame', blamed],
    ['restore', restored],
    ['verify', verified],
    ['verify, damaged', damaged],
  ]
  for (const [name, result] of times)
    if (result) say(`   ${name.padEnd(16)} ${result.seconds.toFixed(2).padStart(6)} s`)
  say()
  say('   The changed byte was found, and verify ended with status 3. Nothing but the temporary copy was touched.')
}

try {
  demo()
} catch (error) {
  if (!(error instanceof DemoFailed)) throw error
  process.stderr.write(`Error: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(TEMP, { recursive: true, force: true })
}
