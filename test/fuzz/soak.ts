/**
 * A server and its clients for a while: `npm run soak [-- --minutes 10 --clients 20 --seed 1]`.
 *
 * One `weft serve --http`, and clients that commit, merge and sync, each command a process of its own as users start them.
 * Processes are killed at random (SIGKILL), commands and the server alike, and begun again. In the end every version of which
 * a push or sync said that it is there must be on the server, and everything has to verify.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { toHex } from '../../src/base/bytes.js'
import { Repository } from '../../src/repo/repository.js'
import { Chance } from '../simulation/chance.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const minutes = Number(values.minutes)
const clients = Number(values.clients)
const seed = Number(values.seed)
if (!(minutes > 0) || !(clients >= 1) || !Number.isInteger(seed)) {
  throw new RangeError('expected --minutes to be over 0, --clients at least 1, --seed an integer')
}
console.log(`npm run soak -- --minutes ${minutes} --clients ${clients} --seed ${seed}`)

const chance = new Chance(seed)
const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'run.js')
const base = mkdtempSync(join(tmpdir(), 'weft-soak-'))
const served = join(base, 'served')
const end = Date.now() + minutes * 60_000
const tally = { commits: 0, merges: 0, syncs: 0, pushes: 0, pulls: 0, killed: 0, serverKilled: 0 }
const refused: Record<string, number> = {}
const faults: string[] = []

/** For faults: how long it was to the end. */
function left(): string {
  return `${Math.round((end - Date.now()) / 1000)} s before the end`
}

/** How a command ended. */
interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs weft; it may be killed. */
async function run(home: string, args: readonly string[], onStart?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: {
      ...process.env,
      WEFT_HOME: home,
      NO_COLOR: '1',
      WEFT_AUTHOR_NAME: 'Soak',
      WEFT_AUTHOR_EMAIL: 's@example.org',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onStart?.(child)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => out.push(part))
  child.stderr.on('data', (part: Buffer) => err.push(part))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) =>
      resolve({ status, signal, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    )
  })
}

async function expect(home: string, args: readonly string[]): Promise<string> {
  const { status, out, err } = await run(home, args)
  if (status !== 0) throw new Error(`weft ${args.join(' ')}: status ${status}\n${out}${err}`)
  return out
}

/** The code of the error that a command printed as JSON. */
function codeOf({ out, status }: Pick<Ended, 'out' | 'status'>): string {
  const code = /"code":\s*"([A-Z_]+)"/.exec(out)?.[1]
  return code ?? (isConflict({ out }) ? 'conflicts' : `status ${status}`)
}

/** Whether a merge found something that it could not decide. */
function isConflict({ out }: Pick<Ended, 'out'>): boolean {
  return /"kind":\s*"conflicts"/.test(out)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => void server.close(resolve))
  return port
}

/** The server's process, which is begun again whenever it is gone. */
class Server {
  readonly url: string
  readonly #port: number
  #child: ChildProcess | undefined
  #isWanted = true
  #running: Promise<unknown> = Promise.resolve()

  constructor(port: number) {
    this.#port = port
    this.url = `http://127.0.0.1:${port}/`
  }

  async start(): Promise<void> {
    let isUp = false
    const ready = new Promise<void>((resolve) => {
      this.#running = (async () => {
        while (this.#isWanted) {
          const args = ['serve', served, '--http', `127.0.0.1:${this.#port}`, '--rate', '1000000', '--quiet']
          const ended = await run(join(base, 'home'), args, (child) => {
            this.#child = child
            child.stdout?.once('data', () => {
              isUp = true
              resolve()
            })
          })
          if (ended.signal === null && this.#isWanted)
            faults.push(`${left()}: the server ended: ${ended.status} ${ended.out} ${ended.err}`)
          if (!isUp) resolve()
          await sleep(100 + chance.below(900))
        }
      })()
    })
    await ready
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Ends it as a user does. */
  async stop(): Promise<void> {
    this.#isWanted = false
    this.#child?.kill('SIGTERM')
    await this.#running
  }
}

/** Somebody with a clone. */
class Client {
  readonly #number: number
  readonly #root: string
  readonly #home: string
  readonly #token: string
  child: ChildProcess | undefined
  /** Versions that were made here and not acknowledged by the server yet. */
  #pending: string[] = []
  readonly acknowledged: string[] = []
  #files = 0

  constructor(number: number, token: string) {
    this.#number = number
    this.#root = join(base, `client${number}`)
    // Every third has the key of the one before: two clones of one person.
    this.#home = join(base, `home${number % 3 === 2 ? number - 1 : number}`)
    this.#token = token
  }

  get root(): string {
    return this.#root
  }

  async begin(url: string): Promise<void> {
    while (Date.now() < end) {
      const ended = await this.#weft(['clone', url, this.#root, '--token', this.#token])
      if (ended?.status === 0) break
      // Killed when the repository was there and its files were not.
      if (ended !== undefined && codeOf(ended) === 'REPO_EXISTS') rmSync(this.#root, { recursive: true, force: true })
      await sleep(500)
    }
    await this.#weft(['switch', '-c', `branch${this.#number}`])
    if (this.#number % 2 === 0) await this.#weft(['switch', 'main'])
  }

  async work(): Promise<void> {
    while (Date.now() < end) {
      await this.#commit()
      if (chance.once(3)) await this.#commit()
      await this.#exchange()
      if (this.#number % 2 === 0 && chance.once(3)) await this.#merge()
      await sleep(chance.below(1000))
    }
  }

  /** A last exchange, when nobody is killed any more. */
  async finish(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      const ended = await this.#weft(['sync'])
      if (ended?.status === 0) {
        this.acknowledged.push(...this.#pending)
        this.#pending = []
        return
      }
      if (ended !== undefined && i === 4) faults.push(`client ${this.#number} cannot sync: ${ended.out}${ended.err}`)
      await sleep(1000)
    }
  }

  async #commit(): Promise<void> {
    const name = `c${this.#number}-${this.#files++ % 5}.txt`
    const text = Array.from({ length: 3 + chance.below(20) }, () => `${chance.below(1e6)}\n`).join('')
    writeFileSync(join(this.#root, name), text)
    const ended = await this.#weft(['commit', '-m', `change ${this.#files}`])
    if (ended?.status !== 0) return
    tally.commits++
    const { version } = JSON.parse(ended.out) as { version: string }
    this.#pending.push(version)
  }

  async #merge(): Promise<void> {
    const ended = await this.#weft(['merge'])
    if (ended?.status === 1 && isConflict(ended)) await this.#weft(['undo'])
    if (ended?.status !== 0) return
    tally.merges++
    const { version } = JSON.parse(ended.out) as { version?: string }
    if (version !== undefined) this.#pending.push(version)
  }

  async #exchange(): Promise<void> {
    const command = chance.pick(['sync', 'sync', 'push', 'pull'])
    const going = this.#pending.length
    const ended = await this.#weft([command])
    if (ended?.status !== 0) return
    if (command === 'pull') tally.pulls++
    else {
      if (command === 'sync') tally.syncs++
      else tally.pushes++
      this.acknowledged.push(...this.#pending.splice(0, going))
    }
  }

  /** Runs a command in the clone; undefined where it was killed. */
  async #weft(args: readonly string[]): Promise<Ended | undefined> {
    const where = args[0] === 'clone' ? [] : ['-C', this.#root]
    const ended = await run(this.#home, [...args, '--json', ...where], (child) => {
      this.child = child
    })
    this.child = undefined
    if (ended.signal !== null) return undefined
    if (ended.status !== 0) {
      const code = `${args[0]} ${codeOf(ended)}`
      refused[code] = (refused[code] ?? 0) + 1
      if (ended.status === 70 || code.endsWith(`status ${ended.status}`)) {
        faults.push(`client ${this.#number}: weft ${args.join(' ')}: ${ended.out}${ended.err}`)
      }
    }
    return ended
  }
}

/** Kills something now and then. */
async function kill(server: Server, all: readonly Client[]): Promise<void> {
  while (Date.now() < end) {
    await sleep(200 + chance.below(1500))
    if (chance.once(10)) {
      tally.serverKilled++
      server.kill()
    } else {
      const client = chance.pick(all)
      if (client.child?.kill('SIGKILL') === true) tally.killed++
    }
  }
}

/** Whether everything in a repository is sound. */
async function assertVerifies(root: string): Promise<void> {
  const ended = await run(join(base, 'home'), ['verify', '--json', '-C', root])
  if (ended.status !== 0) faults.push(`${root} does not verify: ${ended.out.slice(0, 2000)}${ended.err.slice(0, 1000)}`)
}

mkdirSync(served)
await expect(join(base, 'home'), ['init', served])
writeFileSync(join(served, 'first.txt'), 'first\n')
await expect(join(base, 'home'), ['commit', '-m', 'first', '-C', served])
const { token } = JSON.parse(
  await expect(join(base, 'home'), ['serve', 'token', 'add', 'soak', '--write', '--json', '-C', served]),
) as { token: string }
const server = new Server(await freePort())
await server.start()
const all = Array.from({ length: clients }, (_, i) => new Client(i, token))
await Promise.all([
  kill(server, all),
  ...all.map(async (client) => {
    await client.begin(server.url)
    await client.work()
  }),
])
for (const client of all) await client.finish()
await server.stop()
const acknowledged = new Set(all.flatMap((client) => client.acknowledged))
{
  await using repo = await Repository.open(served)
  const here = new Set<string>()
  for await (const { id } of repo.versions.all()) here.add(toHex(id))
  for (const id of acknowledged) if (!here.has(id)) faults.push(`${id} was acknowledged, and is not on the server`)
  console.log(`${acknowledged.size} acknowledged versions, ${here.size} on the server`)
}
for (const root of [served, ...all.map((client) => client.root)]) await assertVerifies(root)
console.log(JSON.stringify(tally))
console.log(`refused: ${JSON.stringify(refused)}`)
if (acknowledged.size === 0) faults.push('nothing was acknowledged at all')
if (faults.length > 0) {
  console.error(faults.slice(0, 20).join('\n'))
  console.error(`${faults.length} faults; everything is in ${base}`)
  process.exit(1)
}
rmSync(base, { recursive: true, force: true })
console.log('no faults')
