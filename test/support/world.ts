import type { StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import type { ErrorClass } from '#shared/errors'
import type { DeployResult, DodResult, ProjectState, ShipResult } from '#shared/result'
import type { MaintenanceFile, Run } from '#shared/run'
import {
  deployDocument,
  deploySteps,
  dodDocument,
  greenStatus,
  shipDocument,
  shipSteps,
  steps,
} from './documents.ts'

interface Deploying {
  readonly run: Run
  /** What it brings: origin/main when its checkout passed. null before. */
  commit: string | null
  switched: boolean
}

/** A laptop, an origin and a host as facts alone: what happens to them is a method each. Times are milliseconds. */
export class World {
  now = Date.parse('2026-11-22T12:00:00.000Z')
  main: string | null = null
  head: string
  ahead = 0
  dirty = 0
  ship: { runId: string; commit: string | null; step: string } | null = null
  readonly ships: ShipResult[] = []
  readonly deploys: DeployResult[] = []
  readonly runs: Run[] = []
  readonly brokenHere = new Set<string>()
  readonly brokenThere = new Set<string>()
  readonly unreadable = new Set<string>()
  uploaded: ShipResult | null = null
  deploy: Deploying | null = null
  serving: string | null = null
  state: ProjectState | null = null
  dod: DodResult | null = null
  maintenance: MaintenanceFile | null = null
  alarm = false
  away = false
  #seen: { status: StatusReply; asOf: string } | null = null
  #count = 0

  constructor() {
    this.head = this.#hash()
    this.ahead = 1
    this.answer()
  }

  #hash(): string {
    this.#count += 1
    return this.#count.toString(16).padStart(7, '0') + 'c0ffee'.padEnd(33, '0')
  }

  #id(): string {
    this.#count += 1
    const time = new Date(this.now)
      .toISOString()
      .replace(/[-:]/g, '')
      .replace(/\.\d{3}/, '')
    return `${time}-${this.#count.toString(16).padStart(8, '0')}`
  }

  get time(): string {
    return new Date(this.now).toISOString()
  }

  wait(seconds: number): void {
    this.now += seconds * 1000
  }

  commit(): void {
    this.head = this.#hash()
    this.ahead += 1
    this.dirty = 0
  }

  startShip(): void {
    if (this.ship !== null || this.ahead === 0 || this.dirty > 0) return
    this.ship = { runId: this.#id(), commit: null, step: 'preflight' }
  }

  /** The ship freezes what it ships, then goes from step to step. */
  stepShip(): void {
    if (this.ship === null) return
    this.ship.commit ??= this.head
    const at = shipSteps.indexOf(this.ship.step)
    this.ship.step = shipSteps[Math.min(at + 1, shipSteps.length - 1)] ?? 'preflight'
  }

  endShip(failure: { step: string; errorClass: ErrorClass } | null): void {
    if (this.ship === null) return
    const { runId, commit } = this.ship
    this.ship = null
    const head = commit ?? this.head
    const common = { run_id: runId, started_at: this.time, finished_at: this.time }
    if (failure !== null) {
      this.ships.push(
        shipDocument(head, {
          ...common,
          overall: 'FAIL',
          step_failed: failure.step,
          error_class: failure.errorClass,
          steps: steps(shipSteps, failure.step),
          pushed_sha: null,
          remote_sha: this.main,
        }),
      )
      return
    }
    this.ships.push(shipDocument(head, common))
    this.main = head
    this.ahead = head === this.head ? 0 : 1
  }

  upload(): void {
    if (this.away) return
    this.uploaded = this.ships.findLast(({ overall }) => overall === 'PASS') ?? this.uploaded
  }

  startDeploy(
    action: 'deploy_and_verify' | 'rollback',
    params: Record<string, unknown> = {},
  ): void {
    if (this.deploy !== null || this.away || this.main === null) return
    if (this.maintenance?.hold !== undefined) return
    const to = this.state?.rollback_to ?? null
    if (action === 'rollback' && to === null) return
    const pinned = this.state?.pin?.from_sha === this.main && params['unpin'] !== true
    if (action === 'deploy_and_verify' && pinned) return
    const run: Run = {
      run_id: this.#id(),
      action,
      lane: 'deploy',
      params: action === 'rollback' ? { to } : params,
      actor: 'operator@laptop',
      deploy_run_id: null,
      status: 'running',
      requested_at: this.time,
      started_at: this.time,
      finished_at: null,
      error_class: null,
      step_failed: null,
    }
    this.runs.push(run)
    this.deploy = { run, commit: null, switched: false }
    this.maintenance ??= {
      schema_version: 1,
      deploy_run_id: run.run_id,
      reason: 'deploy',
      since: this.time,
    }
    this.maintenance = { ...this.maintenance, deploy_run_id: run.run_id }
  }

  /** Its checkout, then its switch. */
  stepDeploy(): void {
    const { deploy } = this
    if (deploy === null) return
    if (deploy.commit === null) {
      const { to } = deploy.run.params
      deploy.commit = typeof to === 'string' ? to : this.main
    } else if (!deploy.switched) {
      deploy.switched = true
      this.serving = deploy.commit
    }
  }

  endDeploy(errorClass: ErrorClass | null): void {
    if (this.deploy === null) return
    if (errorClass === null) while (!this.deploy.switched) this.stepDeploy()
    const { run, commit, switched } = this.deploy
    this.deploy = null
    const failed = switched ? 'verify_production' : 'console_build'
    const target = commit ?? this.main ?? this.head
    const result = deployDocument(target, {
      run_id: run.run_id,
      started_at: this.time,
      finished_at: this.time,
      ...(errorClass === null
        ? {}
        : {
            overall: 'FAIL' as const,
            step_failed: failed,
            error_class: errorClass,
            steps: steps(deploySteps, failed),
          }),
    })
    this.deploys.push(result)
    const at = this.runs.findIndex(({ run_id }) => run_id === run.run_id)
    this.runs[at] = {
      ...run,
      status: errorClass === null ? 'passed' : errorClass === 'cancelled' ? 'cancelled' : 'failed',
      finished_at: this.time,
      error_class: errorClass,
      step_failed: errorClass === null ? null : failed,
    }
    if (errorClass === null) this.#green(run, target)
  }

  #green(run: Run, target: string): void {
    const before = this.state
    const checked = { run_id: run.run_id, overall: 'PASS' as const, finished_at: this.time }
    this.dod = dodDocument(target, { run_id: this.#id(), deploy_run_id: run.run_id })
    this.state = {
      schema_version: 1,
      last_deploy_timestamp: this.time,
      last_deploy_run_id: run.run_id,
      last_verified_head: target,
      target_sha: target,
      last_doctor_result: checked,
      last_guard_result: checked,
      next_action: null,
      rollback_to: before === null || before.target_sha === target ? null : before.target_sha,
      ...(run.action === 'rollback' && this.main !== null && this.main !== target
        ? { pin: { sha: target, from_sha: this.main, run_id: run.run_id, since: this.time } }
        : {}),
    }
    const hold = this.maintenance?.hold
    this.maintenance =
      hold === undefined
        ? null
        : { schema_version: 1, deploy_run_id: null, reason: hold.reason, since: hold.since, hold }
  }

  /** Somebody starts an earlier version on the host, past HQ. */
  startByHand(): void {
    const { rollback_to: before = null } = this.state ?? {}
    if (this.deploy === null && before !== null) this.serving = before
  }

  hold(): void {
    if (this.away) return
    const hold = { by: 'anna@example.com', reason: 'disk exchange', since: this.time }
    const { reason, since } = hold
    const file = this.maintenance ?? { schema_version: 1, deploy_run_id: null, reason, since }
    this.maintenance = { ...file, hold }
  }

  endMaintenance(): void {
    if (this.deploy === null && !this.away) this.maintenance = null
  }

  /** A byte of the newest deploy, of the newest ship on either side; or the result of the newest deploy as a whole. */
  tamper(what: 'deploy' | 'ship_here' | 'ship_there' | 'result'): void {
    const deploy = this.deploys.at(-1)?.run_id
    const ship = this.uploaded?.run_id
    if (what === 'deploy' && deploy !== undefined) this.brokenThere.add(deploy)
    if (what === 'result' && deploy !== undefined) this.unreadable.add(deploy)
    if (what === 'ship_there' && ship !== undefined) this.brokenThere.add(ship)
    const own = this.ships.at(-1)?.run_id
    if (what === 'ship_here' && own !== undefined) this.brokenHere.add(own)
  }

  /** The host answers: what it says now is known. */
  answer(): void {
    if (!this.away) this.#seen = { status: this.#status(), asOf: this.time }
  }

  #status(): StatusReply {
    const readable = this.deploys.filter(({ run_id }) => !this.unreadable.has(run_id))
    const last = readable.at(-1) ?? null
    const lastOf = (result: DeployResult | ShipResult | DodResult | null, kind: string) => ({
      ok: result?.overall === 'PASS',
      run_id: result?.run_id ?? null,
      overall: result?.overall ?? null,
      artifact_dir: result === null ? null : `${kind}/${result.run_id}`,
    })
    const bundle = (run_id: string | undefined) =>
      run_id === undefined
        ? null
        : {
            run_id,
            complete: true,
            missing: [],
            verification: this.brokenThere.has(run_id)
              ? ('broken' as const)
              : ('verified' as const),
          }
    const base = greenStatus(this.head)
    return {
      ...base,
      host: { ...base.host, time: this.time, serving: this.serving },
      state: this.state,
      maintenance: { on: this.maintenance !== null, unreadable: null, file: this.maintenance },
      last_ship: { ...lastOf(this.uploaded, 'ship'), result: this.uploaded, verification: null },
      last_deploy: { ...lastOf(last, 'deploy'), result: last, triage: null },
      last_dod: { ...lastOf(this.dod, 'deploy'), result: this.dod },
      bundles: { ship: bundle(this.uploaded?.run_id), deploy: bundle(last?.run_id) },
      unreadable: [...this.unreadable].map((run_id) => ({
        kind: 'deploy' as const,
        run_id,
        file: 'deploy_result.json',
        detail: 'It is not valid JSON.',
      })),
      active_runs: this.deploy === null ? [] : [this.deploy.run],
      recent_deploys: this.runs.toReversed(),
    }
  }

  #shipOfHead(): ShipResult | null {
    const own = this.ships.filter(({ git_head }) => git_head === this.head)
    return own.findLast(({ overall }) => overall === 'PASS') ?? own.at(-1) ?? null
  }

  overview(): Overview {
    this.answer()
    const own = this.#shipOfHead()
    const last = this.ships.at(-1) ?? null
    const broken = own !== null && this.brokenHere.has(own.run_id)
    const deploy = this.#seen?.status.active_runs[0] ?? null
    return {
      place: 'laptop',
      connection: {
        name: 'aiops-1',
        url: 'https://aiops-1.example',
        state: this.away ? 'offline' : 'online',
        detail: this.away ? 'aiops-1 cannot be reached: it does not answer.' : null,
        latency_ms: this.away ? null : 12,
        as_of: this.#seen?.asOf ?? null,
      },
      repository: {
        name: 'sample',
        branch: 'main',
        head: this.head,
        subject: 'A change',
        remote: this.main,
        ahead: this.ahead,
        behind: 0,
        dirty_files: this.dirty,
        next_action: 'Watch the worker for a day.',
        ship_blocked: this.#shipBlocked(),
      },
      ship:
        this.ship === null
          ? last && { run_id: last.run_id, active: false, step: null, result: last }
          : {
              run_id: this.ship.runId,
              active: true,
              step: this.ship.step,
              commit: this.ship.commit,
              result: null,
            },
      ship_result: own,
      ship_proof: own && {
        run_id: own.run_id,
        state: broken ? 'broken' : 'verified',
        problem: null,
      },
      status: this.#seen?.status ?? null,
      deploy: deploy && {
        run_id: deploy.run_id,
        step: this.deploy?.switched === true ? 'verify_production' : 'console_build',
        commit: this.deploy?.commit ?? null,
      },
      usual_ms: {},
      upload: { queued: 0, detail: null },
      proof_alarms: this.alarm ? [{ who: 'aiops-1', detail: 'Number 3 is missing.' }] : [],
      cancels: [],
    }
  }

  #shipBlocked(): string | null {
    if (this.dirty > 0) return `${this.dirty} file is not committed.`
    return this.ahead === 0 ? 'Nothing to ship: origin/main has every commit.' : null
  }
}
