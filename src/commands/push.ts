import { remoteArgs, SyncCommand, tokenFlag } from '../cli/sync-command.js'

/** `weft push`. */
export default class Push extends SyncCommand {
  static override summary = 'Send a remote what it lacks'
  static override description =
    'All branches, tags and snapshots go, and the versions they stand on; what was shelved or undone stays here. Nothing is ever overwritten there: a branch that has gone on there has two heads then, until somebody merges them.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> origin',
    '<%= config.bin %> <%= command.id %> ../other',
  ]
  static override args = remoteArgs
  static override flags = { token: tokenFlag }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Push)
    await this.exchange('push', args.remote, flags.token)
  }
}
