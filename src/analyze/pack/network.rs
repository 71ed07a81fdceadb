//! A network and the numbers that go in and out of it, run by the crate `rten` (pure Rust).
//!
//! Only operators of networks without loops and branches are known to it: such a network costs the same for every picture. What
//! it costs is measured when it is loaded, and it is not begun when less time than that is left. All networks of a process
//! share one thread, so that other work goes on beside them.

use crate::analyze::manifest::{Activation, Channels, Fit, Input, Layout, Manifest};
use crate::analyze::{Budget, Pixels};
use crate::error::{Error, ErrorKind, Result};
use rten::{Dimension, Model, ModelOptions, NodeId, OpRegistry, RunOptions, ThreadPool, Value, ValueOrView, op_types};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// Longest `model.onnx`, in bytes.
pub const MAX_MODEL_BYTES: u64 = 256 << 20;
/// Longest that a network may take for one picture on this machine.
pub const MAX_COST: Duration = Duration::from_secs(2);

/// The thread of all networks.
static THREAD: LazyLock<Arc<ThreadPool>> = LazyLock::new(|| Arc::new(ThreadPool::with_num_threads(1)));

/// A loaded network.
pub(super) struct Network {
    model: Model,
    inputs: Vec<(NodeId, Role)>,
    /// Scores, then boxes where there are any; or points.
    outputs: Vec<NodeId>,
    cost: Duration,
}

/// What an input is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Picture,
    /// Numbers of the pieces of a sentence.
    Pieces,
    /// 1 where they mean something, 0 behind.
    Mask,
    /// 0: there is one sentence.
    Sentence,
}

/// What is asked about.
pub(super) enum Subject<'s> {
    Picture(&'s Pixels),
    /// Numbers of pieces, and how many of them mean something.
    Text(&'s [i32], usize),
}

impl Network {
    /// Loads a network and asks it about `example`. The error says what it has that the manifest does not say, or the reverse.
    pub(super) fn load(bytes: Vec<u8>, manifest: &Manifest, example: &Subject<'_>) -> Result<Network> {
        let wrong = |why: String| Error::invalid(format!("model.onnx: {why}"));
        let model = ModelOptions::with_ops(operators()).load(bytes).map_err(|e| wrong(e.to_string()))?;
        let inputs = inputs(&model, manifest).map_err(wrong)?;
        let first = model.output_ids().first().copied();
        let named = |name: &str| -> Result<Option<NodeId>> {
            if name.is_empty() {
                return Ok(None);
            }
            let found = model.find_node(name).filter(|id| model.output_ids().contains(id));
            found.map(Some).ok_or_else(|| wrong(format!("expected an output {name:?}, got none of that name")))
        };
        let name = if manifest.kind.embeds() { &manifest.output.point } else { &manifest.output.scores };
        let main = named(name)?.or(first).ok_or_else(|| wrong("it has no output".to_owned()))?;
        let outputs = std::iter::once(main).chain(named(&manifest.output.boxes)?).collect();
        let mut network = Network { model, inputs, outputs, cost: Duration::ZERO };
        let begun = Instant::now();
        network.run(example, manifest, &Budget::new(MAX_COST * 4, usize::MAX))?;
        network.cost = begun.elapsed();
        if network.cost > MAX_COST {
            let took = network.cost;
            return Err(wrong(format!("expected at most {MAX_COST:?} for a picture on this machine, took {took:?}")));
        }
        Ok(network)
    }

    /// What one picture took when the network was loaded.
    pub(super) fn cost(&self) -> Duration {
        self.cost
    }

    /// The outputs for a picture or a sentence, in the order of the manifest, each row by row.
    pub(super) fn run(&self, subject: &Subject<'_>, manifest: &Manifest, budget: &Budget) -> Result<Vec<Vec<f32>>> {
        budget.check(&manifest.name)?;
        if budget.deadline.saturating_duration_since(Instant::now()) < self.cost {
            let message = format!("{}: it takes {:?}, and less time is left for this file", manifest.name, self.cost);
            return Err(Error::new(ErrorKind::DeadlineExceeded, message));
        }
        let given = self.inputs.iter().map(|(id, role)| Ok((*id, value(*role, subject, manifest)?)));
        let given: Vec<(NodeId, ValueOrView<'_>)> = given.collect::<Result<_>>()?;
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&THREAD));
        let failed = |e: &dyn std::fmt::Display| Error::invalid(format!("model.onnx: it cannot be run: {e}"));
        let values = self.model.run(given, &self.outputs, Some(options)).map_err(|e| failed(&e))?;
        let floats = |value: Value| -> Result<Vec<f32>> {
            let tensor: Tensor<f32> = value.try_into().map_err(|e: rten::TryFromValueError| failed(&e))?;
            Ok(tensor.to_vec())
        };
        let outputs: Vec<Vec<f32>> = values.into_iter().map(floats).collect::<Result<_>>()?;
        if outputs.iter().flatten().any(|number| !number.is_finite()) {
            return Err(failed(&"an output is not a finite number"));
        }
        Ok(outputs)
    }
}

/// The inputs of a network and what they are for.
fn inputs(model: &Model, manifest: &Manifest) -> Result<Vec<(NodeId, Role)>, String> {
    let ids = model.input_ids();
    if let Some(input) = &manifest.input {
        let [id] = ids else { return Err(format!("expected one input, got {}", ids.len())) };
        check_shape(&model.input_shape(0).unwrap_or_default(), input)?;
        return Ok(vec![(*id, Role::Picture)]);
    }
    let role = |id: &NodeId| {
        let name = model.node_info(*id).and_then(|node| node.name().map(str::to_owned)).unwrap_or_default();
        match name.as_str() {
            "input_ids" => Ok((*id, Role::Pieces)),
            "attention_mask" => Ok((*id, Role::Mask)),
            "token_type_ids" => Ok((*id, Role::Sentence)),
            other => Err(format!("expected the inputs input_ids, attention_mask and token_type_ids, got {other:?}")),
        }
    };
    let roles = ids.iter().map(role).collect::<Result<Vec<_>, String>>()?;
    if roles.iter().any(|(_, role)| *role == Role::Pieces) {
        return Ok(roles);
    }
    Err("expected an input input_ids, got none of that name".to_owned())
}

/// What an input is given.
fn value(role: Role, subject: &Subject<'_>, manifest: &Manifest) -> Result<ValueOrView<'static>> {
    match (role, subject, &manifest.input) {
        (Role::Picture, Subject::Picture(pixels), Some(input)) => {
            let (w, h) = (input.width as usize, input.height as usize);
            let shape = match input.layout {
                Layout::Nchw => [1, 3, h, w],
                Layout::Nhwc => [1, h, w, 3],
            };
            let tensor: NdTensor<f32, 4> = NdTensor::from_data(shape, numbers(&fitted(pixels, input), input));
            Ok(ValueOrView::from(tensor))
        }
        (Role::Pieces | Role::Mask | Role::Sentence, Subject::Text(pieces, used), _) => {
            let all = pieces.iter().enumerate().map(|(at, piece)| match role {
                Role::Pieces => *piece,
                Role::Mask => i32::from(at < *used),
                _ => 0,
            });
            let tensor: NdTensor<i32, 2> = NdTensor::from_data([1, pieces.len()], all.collect::<Vec<i32>>());
            Ok(ValueOrView::from(tensor))
        }
        _ => Err(Error::invalid(format!(
            "{}: a pack of the kind {} was asked about something else",
            manifest.name,
            manifest.kind.name()
        ))),
    }
}

/// Operators of networks that cost the same for every picture: no loop, no branch, nothing that makes sizes out of values.
fn operators() -> OpRegistry {
    use op_types::{
        Abs, Add, ArgMax, AveragePool, BatchNormalization, Cast, Clip, Concat, Conv, Div, Elu, Equal, Erf, Exp,
        Flatten, Gather, Gelu, Gemm, GlobalAveragePool, HardSigmoid, HardSwish, Identity, InstanceNormalization,
        LayerNormalization, LeakyRelu, LogSoftmax, MatMul, Max, MaxPool, Min, Mul, Neg, PRelu, Pad, Pow, ReduceL2,
        ReduceMax, ReduceMean, ReduceSum, Relu, Reshape, Sigmoid, Slice, Softmax, Softplus, Split, Sqrt, Squeeze, Sub,
        Tanh, Transpose, Unsqueeze, Where,
    };
    OpRegistry::with_ops(&[
        &Abs,
        &Add,
        &ArgMax,
        &AveragePool,
        &BatchNormalization,
        &Cast,
        &Clip,
        &Concat,
        &Conv,
        &Div,
        &Elu,
        &Equal,
        &Erf,
        &Exp,
        &Flatten,
        &Gather,
        &Gelu,
        &Gemm,
        &GlobalAveragePool,
        &HardSigmoid,
        &HardSwish,
        &Identity,
        &InstanceNormalization,
        &LayerNormalization,
        &LeakyRelu,
        &LogSoftmax,
        &MatMul,
        &Max,
        &MaxPool,
        &Min,
        &Mul,
        &Neg,
        &PRelu,
        &Pad,
        &Pow,
        &ReduceL2,
        &ReduceMax,
        &ReduceMean,
        &ReduceSum,
        &Relu,
        &Reshape,
        &Sigmoid,
        &Slice,
        &Softmax,
        &Softplus,
        &Split,
        &Sqrt,
        &Squeeze,
        &Sub,
        &Tanh,
        &Transpose,
        &Unsqueeze,
        &Where,
    ])
}

/// Compares the input's shape in the file with what the manifest says; sizes that the file leaves open fit anything.
fn check_shape(shape: &[Dimension], input: &Input) -> Result<(), String> {
    let (w, h) = (input.width as usize, input.height as usize);
    let expected = match input.layout {
        Layout::Nchw => [1, 3, h, w],
        Layout::Nhwc => [1, h, w, 3],
    };
    let fits = |(dimension, expected): (&Dimension, &usize)| match dimension {
        Dimension::Fixed(size) => size == expected,
        Dimension::Symbolic(_) => true,
    };
    if shape.is_empty() || (shape.len() == 4 && shape.iter().zip(&expected).all(fits)) {
        return Ok(());
    }
    Err(format!("pack.toml says that the input is {expected:?}, the file that it is {shape:?}"))
}

/// The picture at the size of the input.
fn fitted(pixels: &Pixels, input: &Input) -> Pixels {
    if input.fit == Fit::Stretch {
        return pixels.resampled(input.width, input.height);
    }
    let (w, h) = (u64::from(pixels.width()), u64::from(pixels.height()));
    let (iw, ih) = (u64::from(input.width), u64::from(input.height));
    let width = w.min((h * iw / ih).max(1)) as u32;
    let height = h.min((w * ih / iw).max(1)) as u32;
    pixels.middle(width, height).resampled(input.width, input.height)
}

/// The numbers of the input tensor.
fn numbers(pixels: &Pixels, input: &Input) -> Vec<f32> {
    let ordered = |[r, g, b]: [u8; 3]| match input.channels {
        Channels::Rgb => [r, g, b],
        Channels::Bgr => [b, g, r],
    };
    let scale = |pixel: [u8; 3]| {
        let [a, b, c] = ordered(pixel);
        let [ma, mb, mc] = input.mean;
        let [da, db, dc] = input.deviation;
        let unit = |v: u8| f32::from(v) / 255.0;
        [(unit(a) - ma) / da, (unit(b) - mb) / db, (unit(c) - mc) / dc]
    };
    let scaled: Vec<[f32; 3]> = pixels.iter().map(scale).collect();
    match input.layout {
        Layout::Nhwc => scaled.into_iter().flatten().collect(),
        Layout::Nchw => {
            let [a, b, c]: [Vec<f32>; 3] = [
                scaled.iter().map(|p| p[0]).collect(),
                scaled.iter().map(|p| p[1]).collect(),
                scaled.iter().map(|p| p[2]).collect(),
            ];
            [a, b, c].concat()
        }
    }
}

/// Outputs to scores from 0 to 1.
pub(super) fn activated(outputs: &[f32], activation: Activation) -> Vec<f32> {
    match activation {
        Activation::None => outputs.iter().map(|x| x.clamp(0.0, 1.0)).collect(),
        Activation::Sigmoid => outputs.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
        Activation::Softmax => {
            // The largest is subtracted so that no power overflows.
            let most = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f32> = outputs.iter().map(|x| (x - most).exp()).collect();
            let sum: f32 = powers.iter().sum();
            powers.iter().map(|p| p / sum).collect()
        }
    }
}
