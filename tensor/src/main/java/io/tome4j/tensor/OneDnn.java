package io.tome4j.tensor;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Argument;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions and linear layers by oneDNN with weights that were laid out for its kernels once. With plain weights
 * libtorch has oneDNN lay them out again in every call, and copies a linear layer's bias into its result first.
 *
 * <p>The operators are those that {@code torch.compile} puts into a graph; they have no functions of their own and are
 * called by name.
 */
final class OneDnn {
    /** The kernels choose a layout by the channels: any feature map will do to ask them. */
    private static final long TYPICAL_SIDE = 64;

    private static final long TYPICAL_ROWS = TYPICAL_SIDE * TYPICAL_SIDE;

    private final OperatorHandle convolution;
    private final OperatorHandle linear;
    private final OperatorHandle layOutLinear;
    private final GenericList noIntegers;
    private final GenericList noScalars;

    private OneDnn() {
        try (var scope = new PointerScope()) {
            this.convolution = operator("mkldnn::_convolution_pointwise");
            this.linear = operator("mkldnn::_linear_pointwise");
            this.layOutLinear = operator("mkldnn::_reorder_linear_weight");
            this.noIntegers = emptyList(convolution, 3);
            this.noScalars = emptyList(linear, 4);
        }
    }

    /** What this build of libtorch has of it: none on other processors than x86. What is made here lives forever. */
    static @Nullable OneDnn find() {
        if (!torch.hasMKLDNN()) {
            return null;
        }
        try {
            return new OneDnn();
        } catch (RuntimeException e) {
            return null; // a libtorch without these operators: plain weights do as well
        }
    }

    private static OperatorHandle operator(String name) {
        OperatorHandle handle = Dispatcher.singleton().findSchemaOrThrow(name, "");
        return handle.retainReference();
    }

    /** An empty list of the type that an argument of an operator has. */
    private static GenericList emptyList(OperatorHandle operator, int argument) {
        Argument arguments = operator.schema().arguments();
        GenericList list = new GenericList(
                arguments.getPointer(Argument.class, argument).type().get().containedType(0));
        return list.retainReference();
    }

    /**
     * @param weight {@code [out, in, k, k]}, bf16 or fp32
     * @return the same in an opaque layout, for {@link #convolution}; it belongs to the open scope
     */
    Tensor layOutConvolution(Tensor weight, long[] stride, long[] padding) {
        return torch.mkldnn_reorder_conv2d_weight(
                weight.to_mkldnn(),
                padding,
                stride,
                new long[] {1, 1},
                1,
                1,
                weight.size(1),
                TYPICAL_SIDE,
                TYPICAL_SIDE);
    }

    /**
     * @param weight {@code [out, in]}, bf16 or fp32
     * @return the same in an opaque layout, for {@link #linear}; it belongs to the open scope
     */
    Tensor layOutLinear(Tensor weight) {
        return call(layOutLinear, new IValue(weight), new IValue(TYPICAL_ROWS));
    }

    /**
     * @param x {@code [B, in, H, W]}, channels-last
     * @param weight from {@link #layOutConvolution}
     * @param bias {@code [out]}
     * @return {@code [B, out, H', W']}, channels-last
     */
    Tensor convolution(Tensor x, Tensor weight, Tensor bias, long[] stride, long[] padding) {
        return call(
                convolution,
                new IValue(x),
                new IValue(weight),
                new IValue(bias),
                integers(padding),
                integers(stride),
                integers(1, 1),
                new IValue(1L),
                new IValue("none"),
                new IValue(noScalars),
                new IValue());
    }

    /**
     * @param x {@code [..., in]}
     * @param weight from {@link #layOutLinear}
     * @param bias {@code [out]}
     * @return {@code [..., out]}
     */
    Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
        return call(
                linear,
                new IValue(x),
                new IValue(weight),
                bias == null ? new IValue() : new IValue(bias),
                new IValue("none"),
                new IValue(noScalars),
                new IValue());
    }

    private IValue integers(long... values) {
        GenericList list = noIntegers.copy();
        for (long value : values) {
            list.push_back(new IValue(value));
        }
        return new IValue(list);
    }

    private static Tensor call(OperatorHandle operator, IValue... arguments) {
        try (var scope = TensorScope.open()) {
            IValueVector stack = new IValueVector(arguments);
            operator.callBoxed(stack);
            return scope.release(new Tensor(stack.get(0).toTensor())); // the stack's own goes with the stack
        }
    }
}
