//! Newtonian gravity of the Sun and the four giant planets: dependent floating-point arithmetic.
//!
//! Masses, positions and step as in the Computer Language Benchmarks Game ("n-body"), whose published energies the tests
//! check. One difference: `core` has no square root on stable Rust, so the inverse root of a distance is computed by
//! Newton's iteration in both builds; the arithmetic stays the same on every machine, to the last bit.

use core::f64::consts::PI;

const SOLAR_MASS: f64 = 4.0 * PI * PI;
const DAYS_PER_YEAR: f64 = 365.24;
/// Years per step, the Benchmarks Game's.
const STEP: f64 = 0.01;

#[derive(Clone, Copy)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

const fn body(position: [f64; 3], daily: [f64; 3], mass: f64) -> Body {
    Body {
        position,
        velocity: [daily[0] * DAYS_PER_YEAR, daily[1] * DAYS_PER_YEAR, daily[2] * DAYS_PER_YEAR],
        mass: mass * SOLAR_MASS,
    }
}

#[allow(clippy::excessive_precision, reason = "the published figures, digit for digit")]
const SYSTEM: [Body; 5] = [
    body([0.0; 3], [0.0; 3], 1.0),
    body(
        [4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01],
        [1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05],
        9.54791938424326609e-04,
    ),
    body(
        [8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01],
        [-2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05],
        2.85885980666130812e-04,
    ),
    body(
        [1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01],
        [2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05],
        4.36624404335156298e-05,
    ),
    body(
        [1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01],
        [2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05],
        5.15138902046611451e-05,
    ),
];

/// The system's energy after this many steps, as bits.
#[must_use]
pub fn checksum(steps: u32) -> u64 {
    energy_after(steps).to_bits()
}

/// The system's energy after this many steps.
#[must_use]
pub fn energy_after(steps: u32) -> f64 {
    // Opaque, so that no compiler computes the orbit at compile time.
    let mut bodies = core::hint::black_box(SYSTEM);
    cancel_drift(&mut bodies);
    for _ in 0..steps {
        advance(&mut bodies);
    }
    energy(&bodies)
}

/// 1/√x for normal positive x: an exponent-halving guess (within 3.5 %), then four Newton steps, each of which squares
/// the error.
fn inverse_root(x: f64) -> f64 {
    let mut root = f64::from_bits(0x5FE6_EB50_C7B5_37A9 - (x.to_bits() >> 1));
    for _ in 0..4 {
        root *= 1.5 - 0.5 * x * root * root;
    }
    root
}

/// Gives the Sun the momentum that makes the total zero, so the system does not drift away.
fn cancel_drift(bodies: &mut [Body; 5]) {
    for axis in 0..3 {
        let momentum: f64 = bodies.iter().map(|body| body.velocity[axis] * body.mass).sum();
        bodies[0].velocity[axis] = -momentum / SOLAR_MASS;
    }
}

fn advance(bodies: &mut [Body; 5]) {
    for first in 0..bodies.len() {
        for second in first + 1..bodies.len() {
            let apart = separation(&bodies[first], &bodies[second]);
            let inverse = inverse_root(apart[0] * apart[0] + apart[1] * apart[1] + apart[2] * apart[2]);
            let pull = STEP * inverse * inverse * inverse;
            let (first_mass, second_mass) = (bodies[first].mass, bodies[second].mass);
            for (axis, distance) in apart.into_iter().enumerate() {
                bodies[first].velocity[axis] -= distance * second_mass * pull;
                bodies[second].velocity[axis] += distance * first_mass * pull;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.position[axis] += STEP * body.velocity[axis];
        }
    }
}

fn separation(first: &Body, second: &Body) -> [f64; 3] {
    core::array::from_fn(|axis| first.position[axis] - second.position[axis])
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for (index, body) in bodies.iter().enumerate() {
        let speed_squared: f64 = body.velocity.iter().map(|v| v * v).sum();
        energy += 0.5 * body.mass * speed_squared;
        for other in &bodies[index + 1..] {
            let distance_squared: f64 = separation(body, other).iter().map(|d| d * d).sum();
            energy -= body.mass * other.mass * inverse_root(distance_squared);
        }
    }
    energy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_equal_the_published_ones() {
        // The Benchmarks Game prints nine digits.
        assert!((energy_after(0) - -0.169_075_164).abs() < 5e-10, "{}", energy_after(0));
        assert!((energy_after(1_000) - -0.169_087_605).abs() < 5e-10, "{}", energy_after(1_000));
    }

    #[test]
    fn the_inverse_root_is_exact_to_a_few_units_in_the_last_place() {
        for x in [1e-6, 0.1, 1.0, 2.0, 3.5, 1e3, 7.25e8] {
            let root = inverse_root(x);
            assert!((root * root * x - 1.0).abs() < 1e-15, "{x}: {root}");
        }
    }
}
