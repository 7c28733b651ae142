import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { optional } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatServe } from '../cli/format-serve.js'

/** Where a server is to be found unless somebody says otherwise. */
const ADDRESS = '127.0.0.1:9338'

/** Milliseconds that requests under way have when the server is told to end. */
const GRACE = 20_000

const MIB = 1 << 20

/** `weft serve`: repositories for others. */
export default class Serve extends BaseCommand {
  static override summary = 'Serve a repository, or a folder of them, to others'
  static override description =
    'Others clone, pull from and push to the address that is printed; in a folder, the path of a repository comes behind it. Who reads or writes needs a token (weft serve token add), unless --open-read lets everybody read. Other commands on this machine work as ever meanwhile. SIGTERM or Ctrl-C ends it: what is under way is finished, a second one ends at once.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> ~/projects --open-read',
    '<%= config.bin %> <%= command.id %> --http 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
  ]
  static override args = {
    root: optional('Repository, or folder with repositories below it; by default the repository here'),
  }
  static override flags = {
    http: Flags.string({
      helpValue: '<host:port>',
      default: ADDRESS,
      noCacheDefault: true,
      summary: 'Where to listen; port 0 is any that is free',
    }),
    'open-read': Flags.boolean({ summary: 'Everybody may read without a token' }),
    'tls-cert': Flags.string({ dependsOn: ['tls-key'], helpValue: '<file>', summary: 'Certificate, PEM: serve https' }),
    'tls-key': Flags.string({ dependsOn: ['tls-cert'], helpValue: '<file>', summary: 'Its key, PEM' }),
    insecure: Flags.boolean({ summary: 'Take tokens from other machines without TLS: a proxy in front has it' }),
    'max-body': Flags.integer({ helpValue: '<MiB>', min: 1, summary: 'Most of one request (4096)' }),
    'max-connections': Flags.integer({ helpValue: '<n>', min: 1, summary: 'Most at a time (512)' }),
    rate: Flags.integer({
      helpValue: '<n>',
      min: 1,
      summary: 'Most requests a minute from one address or token (1200)',
    }),
    quiet: Flags.boolean({ char: 'q', summary: 'No line on stderr for each request' }),
    stdio: Flags.boolean({
      exclusive: ['open-read', 'tls-cert', 'insecure', 'max-body', 'max-connections', 'rate', 'quiet'],
      summary: 'One exchange on stdin and stdout, as ssh:// has it: who can start this may read and write',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Serve)
    const [
      { HTTP_LIMITS },
      { isOpenLine, serveHttp, serveStream },
      { servedRoot },
      { syncConversation },
      { listTokens },
    ] = await Promise.all([
      import('../server/http-server.js'),
      import('../server/serve.js'),
      import('../server/served-root.js'),
      import('../server/sync-conversation.js'),
      import('../server/tokens.js'),
    ])
    const { home } = this
    const converse = syncConversation(home)
    if (flags.stdio) {
      const at = args.root === undefined ? (await servedRoot(undefined, process.cwd())).path : resolve(args.root)
      await serveStream({ root: at, home, converse, input: process.stdin, output: process.stdout })
      return
    }
    const root = await servedRoot(args.root, process.cwd())
    const { host, port } = hostAndPort(flags.http)
    const [cert, key] = [flags['tls-cert'], flags['tls-key']]
    const tls = cert === undefined || key === undefined ? undefined : { cert: fileOf(cert), key: fileOf(key) }
    const stop = stopSignals()
    const server = await serveHttp({
      root,
      home,
      converse,
      host,
      port,
      tls,
      openRead: flags['open-read'],
      insecure: flags.insecure,
      limits: {
        ...HTTP_LIMITS,
        ...(flags['max-body'] && { bodyBytes: flags['max-body'] * MIB }),
        ...(flags['max-connections'] && { connections: flags['max-connections'] }),
        ...(flags.rate && { requestsPerMinute: flags.rate }),
      },
      log: flags.quiet ? () => undefined : say,
    })
    const { url, address } = server
    if (isOpenLine({ host: address, tls })) {
      say('Warning: others on the way can read all that is sent here. --tls-cert and --tls-key keep it from them.')
    }
    if (!flags['open-read'] && (await listTokens(root.path)).length === 0) {
      say('There is no token yet, so nobody gets in: `weft serve token add` makes one, also while this runs.')
    }
    await this.answer({ url, address, port: server.port, root: root.path, kind: root.kind }, formatServe)
    await stop
    await server.close(GRACE)
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Settles at the first signal to end. The second one ends the process at once. */
function stopSignals(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0
    const onSignal = (_: NodeJS.Signals, number: number): void => {
      if (++signals > 1) process.exit(128 + number)
      resolve()
    }
    // The program's own answer to an interrupt is to end at once.
    process.removeAllListeners('SIGINT')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  })
}

/** `host:port`, `[::1]:port`, or a port on this machine. */
function hostAndPort(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]:|([^:[\]]*):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port > 0xffff) {
    throw new CodedError('USAGE', `${text} is no address to listen at.`, {
      hint: 'It is <host>:<port>, such as 127.0.0.1:9338 or [::1]:9338.',
    })
  }
  return { host: bracketed || plain || '127.0.0.1', port }
}

/** @throws {CodedError} `INPUT_UNREADABLE`. */
function fileOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new CodedError('INPUT_UNREADABLE', `${path} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}
