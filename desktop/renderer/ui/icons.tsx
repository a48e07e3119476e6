import {
  Activity,
  AppWindow,
  BarChart3,
  Box,
  ChevronDown,
  ChevronRight,
  ChevronUp,
  CircleOff,
  Clock3,
  Copy,
  Download,
  FileText,
  Flag,
  GraduationCap,
  Mail,
  Plug,
  FoldVertical,
  LayoutPanelLeft,
  Link2,
  ListMinus,
  type LucideIcon,
  MessageSquare,
  Pencil,
  RotateCw,
  Search,
  Server,
  ShieldCheck,
  SlidersHorizontal,
  Square,
  ArrowDownToLine,
  ArrowUpFromLine,
  Wrench,
  X,
  WrapText,
  TriangleAlert,
  FlaskConical,
  Check,
  Pin,
} from 'lucide-react'
import type { ReactElement } from 'react'
import type { Tone } from '../text/status.ts'

const icons = {
  overview: BarChart3,
  ship: ArrowUpFromLine,
  deploy: Box,
  runs: ListMinus,
  proofs: ShieldCheck,
  doctor: Activity,
  settings: SlidersHorizontal,
  hosts: Server,
  search: Search,
  down: ChevronDown,
  up: ChevronUp,
  right: ChevronRight,
  offline: CircleOff,
  clock: Clock3,
  copy: Copy,
  copied: Check,
  download: Download,
  file: FileText,
  flag: Flag,
  jump: FoldVertical,
  link: Link2,
  panel: LayoutPanelLeft,
  note: MessageSquare,
  edit: Pencil,
  retry: RotateCw,
  stop: Square,
  follow: ArrowDownToLine,
  maintenance: Wrench,
  close: X,
  wrap: WrapText,
  alert: TriangleAlert,
  demo: FlaskConical,
  pin: Pin,
  connectors: Plug,
  course: GraduationCap,
  mail: Mail,
  window: AppWindow,
} satisfies Record<string, LucideIcon>
export type IconName = keyof typeof icons

/** A plain icon of 16 px (14 when small). Decoration: the word beside it says the same. */
export function Icon({
  name,
  small = false,
  className = '',
}: {
  name: IconName
  small?: boolean
  className?: string
}): ReactElement {
  const Shape = icons[name]
  return (
    <Shape
      aria-hidden="true"
      className={`icon ${small ? 'icon-small' : ''} ${className}`}
      strokeWidth={1.75}
      absoluteStrokeWidth={false}
    />
  )
}

const stroke = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.5,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const

// Drawn here, not taken from a set: the shapes must differ without colour, and the two solid ones
// show the colour of the ground inside.
const shapes: Record<Tone, ReactElement> = {
  pass: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} />
      <path d="M5.2 8.2l2 2 3.7-4.2" {...stroke} />
    </>
  ),
  fail: (
    <>
      <path fill="currentColor" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />
      <path
        d="M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8"
        fill="none"
        className="on-mark"
        strokeWidth="1.7"
        strokeLinecap="round"
      />
    </>
  ),
  blocked: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M4.6 8h6.8" fill="none" className="on-mark" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} opacity=".28" />
      <path d="M8 1.75A6.25 6.25 0 0 1 14.25 8" {...stroke} strokeWidth="2" />
    </>
  ),
  warn: (
    <>
      <path d="M8 1.9l6.4 11.6H1.6z" {...stroke} />
      <path d="M8 6.3v3.2" {...stroke} />
      <circle cx="8" cy="11.5" r=".9" fill="currentColor" />
    </>
  ),
  skip: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} strokeDasharray="2.2 2.3" />
      <path d="M5.6 8h4.8" {...stroke} />
    </>
  ),
  wait: <circle cx="8" cy="8" r="6.25" {...stroke} opacity=".75" />,
  you: (
    <>
      <circle cx="8" cy="5" r="2.75" {...stroke} />
      <path d="M2.8 13.8c.6-2.700 2.600-4.100 5.200-4.100s4.600 1.400 5.200 4.100" {...stroke} />
    </>
  ),
}

/** The mark of a state, in its colour. A running one turns, unless motion is reduced. */
export function Mark({ tone, small = false }: { tone: Tone; small?: boolean }): ReactElement {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={`icon mark ${tone} ${small ? 'icon-small' : ''} ${tone === 'running' ? 'spin' : ''}`}
    >
      {shapes[tone]}
    </svg>
  )
}

const palm =
  'M6.3 1.3C3.100 2 .9 4.900 1.100 8.200c.2 3.900 3.400 6.800 7.200 6.600 3-.2 5.400-2.200 6.200-4.900' +
  '-2 1.300-4.700 1.200-6.300-.6C6.300 7.200 5.700 4 6.300 1.300z'

/** The mark of OpenClaw. */
export function Claw(): ReactElement {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" className="icon">
      <path fill="currentColor" d={palm} />
      <path
        fill="currentColor"
        d="M9 1.200c2.800.2 5.200 2.500 5.800 5.800-1.300-.9-3-1.200-4.600-.6.9-1.700.5-3.700-1.200-5.200z"
      />
    </svg>
  )
}
