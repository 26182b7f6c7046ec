// Made from `wit/kernel` by `interface/tests/kernel.rs`: change those, not this.
//! The functions of the interfaces in `wit/kernel`, by their tags.
/// A function that a kernel object answers. Its number is the tag that a message to it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Function {
    /// `budget.create-endpoint`.
    BudgetCreateEndpoint = 0x7d5b5d18,
    /// `budget.create-notification`.
    BudgetCreateNotification = 0x71102b16,
    /// `budget.create-timer`.
    BudgetCreateTimer = 0xf6784c4a,
    /// `budget.create-region`.
    BudgetCreateRegion = 0x8d2ce915,
    /// `budget.create-cell`.
    BudgetCreateCell = 0x117bfaa1,
    /// `budget.split`.
    BudgetSplit = 0x151315ed,
    /// `budget.query`.
    BudgetQuery = 0x2971b030,
    /// `cell.grant`.
    CellGrant = 0x4684552f,
    /// `cell.start`.
    CellStart = 0x1d602565,
    /// `cell.kill`.
    CellKill = 0x8cf6ef3c,
    /// `cell.restart`.
    CellRestart = 0x33ad780a,
    /// `cell.inspect`.
    CellInspect = 0x84673028,
    /// `endpoint.watch`.
    EndpointWatch = 0x216988ac,
    /// `endpoint.destroy`.
    EndpointDestroy = 0x03e17aa6,
    /// `endpoint.reassign`.
    EndpointReassign = 0x5dc6262d,
    /// `endpoint.recognise`.
    EndpointRecognise = 0x35527626,
    /// `notification.signal`.
    NotificationSignal = 0x6e7892bf,
    /// `notification.bind`.
    NotificationBind = 0xe4188fe4,
    /// `notification.poll`.
    NotificationPoll = 0x3efcf0ab,
    /// `object.null`.
    ObjectNull = 0x53093a8e,
    /// `object.identify`.
    ObjectIdentify = 0x576d139e,
    /// `object.destroy`.
    ObjectDestroy = 0xcb801288,
    /// `region.map`.
    RegionMap = 0x872ae147,
    /// `region.unmap`.
    RegionUnmap = 0xdded020c,
    /// `region.size`.
    RegionSize = 0x43943f73,
    /// `space.copy`.
    SpaceCopy = 0x99fb17d0,
    /// `space.mint`.
    SpaceMint = 0xe993d743,
    /// `space.move`.
    SpaceMove = 0xa183b29a,
    /// `space.delete`.
    SpaceDelete = 0x6394e463,
    /// `space.revoke`.
    SpaceRevoke = 0xdbe9ff5f,
    /// `space.identify`.
    SpaceIdentify = 0x2eb0ad5f,
    /// `space.start-info`.
    SpaceStartInfo = 0x32e10a19,
    /// `space.exit`.
    SpaceExit = 0x3b37e420,
    /// `space.yield`.
    SpaceYield = 0x2579abd5,
    /// `space.expect`.
    SpaceExpect = 0x91319ffd,
    /// `space.now`.
    SpaceNow = 0x296f47a2,
    /// `space.random`.
    SpaceRandom = 0x6d1763ab,
    /// `space.log`.
    SpaceLog = 0x9a18ceb4,
    /// `timer.arm`.
    TimerArm = 0x1c600cfc,
    /// `timer.disarm`.
    TimerDisarm = 0xef352f69,
}
impl Function {
    /// Every function.
    pub const ALL: [Self; 40] = [
        Self::BudgetCreateEndpoint,
        Self::BudgetCreateNotification,
        Self::BudgetCreateTimer,
        Self::BudgetCreateRegion,
        Self::BudgetCreateCell,
        Self::BudgetSplit,
        Self::BudgetQuery,
        Self::CellGrant,
        Self::CellStart,
        Self::CellKill,
        Self::CellRestart,
        Self::CellInspect,
        Self::EndpointWatch,
        Self::EndpointDestroy,
        Self::EndpointReassign,
        Self::EndpointRecognise,
        Self::NotificationSignal,
        Self::NotificationBind,
        Self::NotificationPoll,
        Self::ObjectNull,
        Self::ObjectIdentify,
        Self::ObjectDestroy,
        Self::RegionMap,
        Self::RegionUnmap,
        Self::RegionSize,
        Self::SpaceCopy,
        Self::SpaceMint,
        Self::SpaceMove,
        Self::SpaceDelete,
        Self::SpaceRevoke,
        Self::SpaceIdentify,
        Self::SpaceStartInfo,
        Self::SpaceExit,
        Self::SpaceYield,
        Self::SpaceExpect,
        Self::SpaceNow,
        Self::SpaceRandom,
        Self::SpaceLog,
        Self::TimerArm,
        Self::TimerDisarm,
    ];
    /// What a message to it begins with.
    #[must_use]
    #[inline]
    pub const fn tag(self) -> u32 {
        self as u32
    }
    /// The function of this tag, if there is one.
    #[must_use]
    #[inline]
    pub const fn from_tag(tag: u32) -> Option<Self> {
        Some(
            match tag {
                0x7d5b5d18 => Self::BudgetCreateEndpoint,
                0x71102b16 => Self::BudgetCreateNotification,
                0xf6784c4a => Self::BudgetCreateTimer,
                0x8d2ce915 => Self::BudgetCreateRegion,
                0x117bfaa1 => Self::BudgetCreateCell,
                0x151315ed => Self::BudgetSplit,
                0x2971b030 => Self::BudgetQuery,
                0x4684552f => Self::CellGrant,
                0x1d602565 => Self::CellStart,
                0x8cf6ef3c => Self::CellKill,
                0x33ad780a => Self::CellRestart,
                0x84673028 => Self::CellInspect,
                0x216988ac => Self::EndpointWatch,
                0x03e17aa6 => Self::EndpointDestroy,
                0x5dc6262d => Self::EndpointReassign,
                0x35527626 => Self::EndpointRecognise,
                0x6e7892bf => Self::NotificationSignal,
                0xe4188fe4 => Self::NotificationBind,
                0x3efcf0ab => Self::NotificationPoll,
                0x53093a8e => Self::ObjectNull,
                0x576d139e => Self::ObjectIdentify,
                0xcb801288 => Self::ObjectDestroy,
                0x872ae147 => Self::RegionMap,
                0xdded020c => Self::RegionUnmap,
                0x43943f73 => Self::RegionSize,
                0x99fb17d0 => Self::SpaceCopy,
                0xe993d743 => Self::SpaceMint,
                0xa183b29a => Self::SpaceMove,
                0x6394e463 => Self::SpaceDelete,
                0xdbe9ff5f => Self::SpaceRevoke,
                0x2eb0ad5f => Self::SpaceIdentify,
                0x32e10a19 => Self::SpaceStartInfo,
                0x3b37e420 => Self::SpaceExit,
                0x2579abd5 => Self::SpaceYield,
                0x91319ffd => Self::SpaceExpect,
                0x296f47a2 => Self::SpaceNow,
                0x6d1763ab => Self::SpaceRandom,
                0x9a18ceb4 => Self::SpaceLog,
                0x1c600cfc => Self::TimerArm,
                0xef352f69 => Self::TimerDisarm,
                _ => return None,
            },
        )
    }
}
/// The interfaces, by their names, and what each is known by.
pub const INTERFACES: [(&str, [u8; 32]); 9] = [
    (
        "budget",
        [
            0xcc, 0xd5, 0x63, 0xb1, 0x9f, 0x2b, 0x30, 0xb9, 0x8d, 0x62, 0x2f, 0xed, 0xcf,
            0xed, 0x8e, 0xd7, 0x28, 0x61, 0x50, 0x91, 0xcf, 0xd0, 0xca, 0x1a, 0x38, 0xd2,
            0xf9, 0xf7, 0x56, 0xa7, 0x2e, 0xae,
        ],
    ),
    (
        "cell",
        [
            0x77, 0x11, 0xd5, 0xcd, 0x80, 0xf3, 0xe3, 0x01, 0x68, 0xa1, 0x33, 0x73, 0xf9,
            0xa7, 0x4b, 0x75, 0x0c, 0x96, 0xd6, 0x72, 0x87, 0x32, 0x37, 0xc0, 0xb1, 0x19,
            0xef, 0x89, 0x57, 0x41, 0x13, 0x91,
        ],
    ),
    (
        "endpoint",
        [
            0x60, 0x52, 0xf7, 0x8a, 0x0c, 0x85, 0x04, 0x0b, 0x2a, 0x1c, 0x8f, 0xa0, 0x5d,
            0xd3, 0xa5, 0x41, 0x56, 0x12, 0x68, 0x1d, 0xa5, 0xec, 0x4e, 0xc2, 0xcf, 0xbb,
            0x01, 0x0e, 0x02, 0xaf, 0x41, 0xca,
        ],
    ),
    (
        "notification",
        [
            0x97, 0xbd, 0xad, 0xe8, 0xf1, 0xf9, 0x4a, 0xf7, 0x67, 0x43, 0x1e, 0xc8, 0xa0,
            0x0a, 0x18, 0x9c, 0x89, 0xfa, 0xdc, 0xd9, 0xde, 0x7c, 0x55, 0xce, 0x9f, 0x98,
            0x41, 0x12, 0xb0, 0xeb, 0xda, 0x7c,
        ],
    ),
    (
        "object",
        [
            0x69, 0x60, 0xa8, 0xa9, 0xa8, 0xf2, 0x64, 0x28, 0x17, 0x3c, 0x71, 0x26, 0x24,
            0x19, 0x51, 0x01, 0xa3, 0xc8, 0x0e, 0x98, 0x7e, 0x94, 0xd6, 0x63, 0x22, 0xd2,
            0x11, 0x47, 0xc3, 0x0e, 0x38, 0xa7,
        ],
    ),
    (
        "program",
        [
            0x11, 0x6d, 0x68, 0x82, 0x85, 0x52, 0xea, 0xf1, 0x3c, 0x14, 0x60, 0xac, 0xa1,
            0x28, 0x71, 0x07, 0x4b, 0xcc, 0xfb, 0xe9, 0x07, 0x13, 0x20, 0x77, 0xca, 0x6f,
            0x2e, 0x6b, 0x17, 0xe9, 0x20, 0xdb,
        ],
    ),
    (
        "region",
        [
            0x3c, 0xd1, 0x0a, 0x61, 0xa1, 0x9a, 0xd7, 0x04, 0x3c, 0xac, 0x40, 0x3a, 0xf6,
            0x59, 0x0a, 0xfd, 0x4d, 0xcf, 0xbd, 0xa9, 0xc0, 0x2d, 0x54, 0x3d, 0xa0, 0xe7,
            0x90, 0xfb, 0x99, 0x16, 0x4e, 0x81,
        ],
    ),
    (
        "space",
        [
            0x68, 0x7a, 0x04, 0xb6, 0x26, 0x18, 0xab, 0x23, 0x0b, 0x45, 0x46, 0x65, 0xcb,
            0x8d, 0xd9, 0xcb, 0xd9, 0xc4, 0x49, 0x6d, 0x44, 0x67, 0xc1, 0x7f, 0x35, 0x4d,
            0x53, 0x51, 0x10, 0x5f, 0x6e, 0x09,
        ],
    ),
    (
        "timer",
        [
            0xec, 0x34, 0xf9, 0x4f, 0xfc, 0x91, 0x11, 0x05, 0x2f, 0xc6, 0xc7, 0x54, 0xfa,
            0xdb, 0xc3, 0x2b, 0x3d, 0xc8, 0xed, 0x8e, 0x44, 0x5d, 0x8f, 0x8a, 0x1c, 0x8d,
            0x86, 0x13, 0x4d, 0x86, 0xa1, 0x61,
        ],
    ),
];
